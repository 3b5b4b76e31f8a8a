import { describe, expect, test } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { probe, probeHealth, probeRules, type ProbeOptions } from '../../src/probe/index.ts';
import { fakeEngine, type FakeEngine } from './fake-engine.ts';

const options: ProbeOptions = {
  image: 'test',
  platform: 'linux/amd64',
  profile: 'standard',
  emulated: false,
  // Long enough for a busy machine: only what hangs is to run into them.
  startupTimeout: 10_000,
  requestTimeout: 3000,
  gracePeriod: 100,
};
const host = createHost({ quiet: true });

async function ids(engine: FakeEngine, more: Partial<ProbeOptions> = {}): Promise<string[]> {
  const report = await probe(host, engine, { ...options, ...more });
  expect(engine.alive.size).toBe(0);
  return [...new Set(report.findings.map(({ rule }) => rule))];
}

describe('a runner that keeps the contract', () => {
  test('has no finding, and every check says that it passed', async () => {
    const engine = fakeEngine();
    const report = await probe(host, engine, options);
    expect(report.findings).toEqual([]);
    expect(report.checks.map(({ state }) => state)).toEqual(report.checks.map(() => 'passed'));
    expect(report.checks).toHaveLength(13);
    expect(report.startup).toBeGreaterThanOrEqual(0);
    expect(engine.alive.size).toBe(0);
  });

  test('standard is started as a random user of group 0, with /app/vertex mounted read-only', async () => {
    const engine = fakeEngine();
    await probeHealth(host, engine, options);
    expect(engine.specs).toHaveLength(1);
    expect(engine.specs[0]).toMatchObject({
      user: '1000680000:0',
      readOnlyMounts: ['/app/vertex'],
      init: false,
      port: 8001,
    });
    expect(engine.specs[0]?.entrypoint).toBeUndefined();
    expect(engine.specs[0]?.env['SESSION_ID']).toMatch(/^probe-/);
  });

  test('openshell is started by its start script as sandbox, with nothing but the injected environment', async () => {
    const engine = fakeEngine();
    await probeHealth(host, engine, { ...options, profile: 'openshell' });
    const [spec] = engine.specs;
    expect(spec).toMatchObject({ user: 'sandbox', command: ['/runner/entrypoint.sh'], env: {}, init: true });
    expect(spec?.entrypoint?.slice(0, 2)).toEqual(['/usr/bin/env', '-i']);
    expect(spec?.entrypoint).toContain('WORKSPACE_PATH=/sandbox/workspace');
  });

  test('under an emulator, process 1 is an init', async () => {
    const engine = fakeEngine();
    await probeHealth(host, engine, { ...options, platform: 'linux/arm64', emulated: true });
    expect(engine.specs[0]).toMatchObject({ init: true, platform: 'linux/arm64' });
  });

  test('without a model an interrupt cannot be seen, which is a note and no pass', async () => {
    const report = await probe(host, fakeEngine({ http: ['no-model'] }), options);
    expect(report.findings.map(({ rule, severity, subject }) => [rule, severity, subject])).toEqual([
      ['probe/unobserved', 'note', 'probe/interrupt'],
    ]);
    expect(report.checks.find(({ check }) => check === 'probe/interrupt')?.state).toBe('unobserved');
  });

  test('a run that is slow to start is no finding about the events stream', async () => {
    const report = await probe(host, fakeEngine({ http: ['slow-run'] }), options);
    expect(report.findings.filter(({ rule }) => rule === 'probe/events-stream')).toEqual([]);
  });

  test('an events stream on which nothing comes is no finding: the real runner feeds it otherwise', async () => {
    expect(await ids(fakeEngine({ http: ['events-silent'] }))).toEqual([]);
  });
});

describe.concurrent('each HTTP fault has exactly its finding', () => {
  test.each([
    ['health-list', ['probe/health']],
    ['capabilities-404', ['probe/capabilities']],
    ['capabilities-types', ['probe/capabilities']],
    ['run-500', ['probe/run-stream', 'probe/unobserved']],
    ['run-json', ['probe/run-stream', 'probe/unobserved']],
    ['no-start', ['probe/run-events']],
    ['other-thread', ['probe/run-events']],
    ['not-json', ['probe/run-events']],
    ['hang-up', ['probe/run-events', 'probe/unobserved']],
    ['no-delta', ['probe/run-events']],
    ['message-open', ['probe/run-events']],
    ['no-end', ['probe/run-events']],
    ['after-end', ['probe/run-events']],
    ['bomb', ['probe/run-events', 'probe/unobserved']],
    ['unknown-type', ['probe/unknown-event', 'probe/events-stream']],
    ['events-404', ['probe/events-stream']],
    ['events-plain', ['probe/events-stream']],
    ['events-garbage', ['probe/events-stream']],
    ['interrupt-500', ['probe/interrupt']],
    ['interrupt-ignored', ['probe/interrupt']],
  ])('%s', async (fault, expected) => {
    expect(await ids(fakeEngine({ http: [fault] }))).toEqual(expected);
  });

  test('a health that never becomes 200 ends at the time limit, naming the last status', async () => {
    const report = await probe(host, fakeEngine({ http: ['health-503'] }), { ...options, startupTimeout: 1500 });
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]).toMatchObject({ rule: 'probe/startup', section: '3.4', platform: 'linux/amd64' });
    expect(report.findings[0]?.message).toContain('HTTP status 503');
    expect(report.startup).toBeUndefined();
  });

  test('a run that never ends stops at the time limit', async () => {
    const report = await probe(host, fakeEngine({ http: ['endless'] }), options);
    expect(report.findings.map(({ rule }) => rule)).toContain('probe/run-events');
    expect(report.findings.map(({ message }) => message).join()).toContain('neither RUN_FINISHED nor RUN_ERROR');
  });
});

describe.concurrent('each fault of the container has exactly its finding', () => {
  test.each([
    ['env-overridden', ['probe/injected-env']],
    ['no-process', ['probe/unobserved']],
    ['zombie', ['probe/zombies']],
    ['sigterm-ignored', ['probe/sigterm']],
    ['sigterm-137', ['probe/sigterm']],
    ['port-ignored', ['probe/agui-port']],
    ['gemini-missing', ['probe/bridge']],
    ['unknown-accepted', ['probe/unknown-runner-type']],
    ['unknown-exits-0', ['probe/unknown-runner-type']],
    ['unknown-unnamed', ['probe/unknown-runner-type']],
    ['logs-secret', ['probe/logged-secret']],
    ['never-starts', ['probe/startup']],
  ])('%s', async (fault, expected) => {
    expect(await ids(fakeEngine({ container: [fault] }))).toEqual(expected);
  });

  test('no message holds an injected secret', async () => {
    const engine = fakeEngine({ container: ['logs-secret', 'never-starts'] });
    const report = await probe(host, engine, options);
    const key = engine.specs[0]?.env['ANTHROPIC_API_KEY'];
    expect(key).toMatch(/^sk-ant-probe-/);
    expect(report.findings[0]?.message).toContain('key is <ANTHROPIC_API_KEY>');
    expect(JSON.stringify(report)).not.toContain(key);
  });
});

describe('ending early', () => {
  test('an abort removes the containers and is thrown', async () => {
    const abort = new AbortController();
    const engine = fakeEngine({ http: ['endless'] });
    const aborted = { ...host, signal: abort.signal };
    const work = probe(aborted, engine, { ...options, requestTimeout: 60_000 });
    setTimeout(() => {
      abort.abort(new Error('Ctrl-C'));
    }, 150);
    await expect(work).rejects.toThrow('Ctrl-C');
    expect(engine.alive.size).toBe(0);
  });

  test('the work for the end of the process removes them, too', async () => {
    const exits: (() => Promise<void> | void)[] = [];
    const engine = fakeEngine({ http: ['health-503'] });
    const dying = { ...host, onExit: (one: () => Promise<void> | void) => (exits.push(one), () => undefined) };
    const work = probe(dying, engine, { ...options, startupTimeout: 1500 });
    await expect.poll(() => engine.alive.size, { timeout: 10_000 }).toBe(1);
    await exits[0]?.();
    expect(engine.alive.size).toBe(0);
    await work;
  });
});

test('every rule has its own id, a section and a remediation', () => {
  expect(new Set(probeRules.map(({ id }) => id)).size).toBe(probeRules.length);
  for (const rule of probeRules)
    expect([rule.section, rule.remediation].every((text) => text !== undefined && text !== '')).toBe(true);
});
