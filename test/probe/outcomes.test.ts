import { expect, test } from 'vitest';
import { probe } from '../../src/probe/index.ts';
import type { ContainerEngine, ProbeOptions, Running } from '../../src/probe/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { fakeEngine } from './fake-engine.ts';

const options: ProbeOptions = { image: 'test', platform: 'linux/amd64', profile: 'standard', emulated: false };

/** The test's engine, whose container answers `exec` like this. */
function engineWith(exec: Running['exec']): ContainerEngine {
  const engine = fakeEngine();
  return { ...engine, start: async (...given) => ({ ...(await engine.start(...given)), exec }) };
}

test('an engine that breaks ends the probe: it is no fact about the image', async () => {
  const broken = new TypeError('the engine broke');
  const probing = probe(
    fakeHost(),
    engineWith(() => Promise.reject(broken)),
    options,
  );
  await expect(probing).rejects.toBe(broken);
});

test('an abort ends the probe with its own reason, whatever it broke', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const engine = engineWith(async () => {
    stop.abort(reason);
    throw new TypeError('the engine broke');
  });
  await expect(probe(fakeHost({ signal: stop.signal }), engine, options)).rejects.toBe(reason);
});
