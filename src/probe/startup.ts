import type { Finding } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import type { Running } from './engine.ts';
import { discard } from './discard.ts';
import { redact } from './redact.ts';
import { finding } from './rules.ts';
import type { Settings } from './types.ts';
import { timeLimit } from '../core/time-limit.ts';

export interface Waiting {
  readonly host: Host;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * untilHealthy waits for the first 200 of /health. It returns the milliseconds that took, or the
 * finding that says what happened instead, with the end of the container's log.
 */
export async function untilHealthy(waiting: Waiting, running: Running, subject: string): Promise<number | Finding> {
  const { host, settings, signal } = waiting;
  const started = host.clock.now().getTime();
  let last = 'no answer';
  for (;;) {
    const code = await running.exitCode();
    const elapsed = host.clock.now().getTime() - started;
    const expected = `GET /health to answer 200 within ${settings.startupTimeout / 1000} s`;
    if (code !== undefined || running.url === undefined) {
      const found = `exit code ${code ?? 'unknown'} after ${elapsed} ms`;
      return finding(settings, 'startup', subject, expected, `${found}${await tail(waiting, running)}`);
    }
    if (elapsed > settings.startupTimeout)
      return finding(settings, 'startup', subject, expected, `${last}${await tail(waiting, running)}`);
    try {
      const response = await host.fetch(`${running.url}/health`, {
        signal: timeLimit(signal, 2000),
        timeout: 2000,
      });
      discard(response.body);
      if (response.status === 200) return host.clock.now().getTime() - started;
      last = `HTTP status ${response.status}`;
    } catch {
      // No server listens yet, or an emulated server thinks for longer than two seconds.
      signal.throwIfAborted();
    }
    await host.clock.sleep(elapsed < 5000 ? 100 : 500, signal);
  }
}

/** The last lines that the container wrote, without the secrets that the probe injected. */
export async function tail(waiting: Pick<Waiting, 'secrets'>, running: Running): Promise<string> {
  const log = await running.logs().catch(() => '');
  const lines = redact(log, waiting.secrets).trimEnd().split('\n').slice(-5).join('\n').slice(-1000);
  return lines.trim() === '' ? '; it logged nothing' : `; its log ends:\n${lines}`;
}
