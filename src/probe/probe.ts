import { randomBytes } from 'node:crypto';
import type { Finding } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import { checks } from './checks/index.ts';
import type { ContainerEngine, Running } from './engine.ts';
import { finding } from './rules.ts';
import { settingsOf } from './settings.ts';
import { containerSpec, injectedEnv, probeLabel } from './start.ts';
import { untilHealthy } from './startup.ts';
import { Unobserved, type Check, type CheckOutcome, type Probe, type ProbeOptions, type ProbeReport } from './types.ts';

/** Values that look like the real thing to a redactor, and are found in a log by themselves. */
function canaries(run: string): Record<string, string> {
  const value = (prefix: string): string => `${prefix}${run}${randomBytes(16).toString('hex')}`;
  return {
    ANTHROPIC_API_KEY: value('sk-ant-probe-'),
    BOT_TOKEN: value('probe-bot-'),
    GITHUB_TOKEN: value('ghp_probe'),
  };
}

/**
 * probeHealth starts the image once, waits for /health, and stops it: the gate before a push.
 * Findings are `probe/startup` or none. Throws `probe/start` (exit 4) when the engine cannot start it.
 */
export function probeHealth(host: Host, engine: ContainerEngine, options: ProbeOptions): Promise<ProbeReport> {
  return suite(host, engine, options, []);
}

/** probe is the whole conformance suite. It throws only what is no fact about the image: a broken engine, an abort. */
export function probe(host: Host, engine: ContainerEngine, options: ProbeOptions): Promise<ProbeReport> {
  return suite(host, engine, options, checks);
}

async function suite(
  host: Host,
  engine: ContainerEngine,
  options: ProbeOptions,
  table: readonly Check[],
): Promise<ProbeReport> {
  const settings = settingsOf(options);
  const run = randomBytes(6).toString('hex');
  const secrets = canaries(run);
  const injected = injectedEnv(settings, run, secrets);
  const findings: Finding[] = [];
  const outcomes: CheckOutcome[] = [];
  let number = 0;

  const start = (changes: Readonly<Record<string, string>>): Promise<Running> => {
    number += 1;
    const spec = containerSpec(settings, run, `runner-probe-${run}-${number}`, { ...injected, ...changes });
    return engine.start(spec, host.signal);
  };
  // By label and not by id: also what was created a moment before an abort is found.
  const clean = async (): Promise<void> => {
    await engine.removeAll(`${probeLabel}=${run}`);
  };
  const unregister = host.onExit(clean);
  try {
    const began = host.clock.now().getTime();
    const runner = await start({});
    const waiting = { host, settings, signal: host.signal, secrets };
    const startup = await untilHealthy(waiting, runner, 'the image');
    const milliseconds = host.clock.now().getTime() - began;
    if (typeof startup !== 'number') {
      const failed = { check: 'probe/startup', state: 'failed', milliseconds } as const;
      return { platform: settings.platform, run, findings: [startup], checks: [failed] };
    }
    outcomes.push({ check: 'probe/startup', state: 'passed', milliseconds: startup });
    const context: Probe = { ...waiting, engine, run, injected, runner, start, logs: [] };
    for (const check of table) {
      host.signal.throwIfAborted();
      host.progress.say(`${settings.platform} probe: ${check.id}`);
      const { outcome, found } = await perform(check, context);
      outcomes.push(outcome);
      findings.push(...found);
    }
    return { platform: settings.platform, run, findings, checks: outcomes, startup };
  } catch (error) {
    // Whatever the abort broke (a request, a stream, the engine's answer): what ended the probe is the abort.
    if (host.signal.aborted) throw host.signal.reason;
    throw error;
  } finally {
    // Twice: a container that was being created during the first pass is there for the second.
    await clean();
    await clean();
    unregister();
  }
}

async function perform(check: Check, context: Probe): Promise<{ outcome: CheckOutcome; found: readonly Finding[] }> {
  const started = context.host.clock.now().getTime();
  const outcome = (state: CheckOutcome['state']): CheckOutcome => ({
    check: `probe/${check.id}`,
    state,
    milliseconds: context.host.clock.now().getTime() - started,
  });
  try {
    const found = await check.check(context);
    return { outcome: outcome(found.some(({ severity }) => severity === 'error') ? 'failed' : 'passed'), found };
  } catch (error) {
    if (!(error instanceof Unobserved)) throw error;
    const note = finding(context.settings, 'unobserved', `probe/${check.id}`, 'to observe it', error.message);
    return { outcome: outcome('unobserved'), found: [note] };
  }
}
