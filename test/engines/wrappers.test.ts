import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Platform } from '../../src/core/index.ts';
import { dryRunEngine, perPlatform, type Engine } from '../../src/engines/index.ts';
import { recording, type EngineCall } from './recording.ts';
import { fakeHost } from '../support/fake-host.ts';
import { makeRequest } from './support.ts';

test('a dry run reads the whole context, says what it would do and has nothing to export', async () => {
  const host = fakeHost();
  const engine = dryRunEngine(host);
  const built = await engine.build(makeRequest({ context: () => Readable.from([Buffer.from('12345')]) }));
  expect(host.told.join()).toContain('context of 5 bytes');
  await expect(engine.export(built)).rejects.toMatchObject({ code: 'engines/dry-run' });
});

test('a dry run fails where the build would: a context that breaks', async () => {
  const broken = (): Readable =>
    new Readable({
      read: () => undefined,
      construct: (done) => {
        done(new Error('changed'));
      },
    });
  await expect(dryRunEngine(fakeHost()).build(makeRequest({ context: broken }))).rejects.toThrow('changed');
});

test('recording notes calls, events and failures, and changes nothing', async () => {
  const calls: EngineCall[] = [];
  const host = fakeHost();
  const plain = dryRunEngine(host);
  const chatty: Engine = {
    ...plain,
    build: async (request) => {
      request.onProgress({ platform: request.platform, name: 'RUN x', $case: 'started' });
      return await plain.build(request);
    },
  };
  const engine = recording(chatty, calls);
  const request = makeRequest();
  const built = await engine.build(request);
  await engine.export(built).catch(() => undefined);
  await engine.remove(built);
  expect(calls.map(({ $case, outcome }) => `${$case} ${outcome}`)).toEqual(['build ok', 'export failed', 'remove ok']);
  expect(calls[0]?.events).toEqual(request.events);
  expect(request.events).toHaveLength(1);
});

test('perPlatform sends build, export and remove to the platform’s engine, and refuses others', async () => {
  const logs: Record<string, EngineCall[]> = { 'linux/amd64': [], 'linux/arm64': [] };
  const named = (platform: Platform): [Platform, Engine] => [
    platform,
    recording(dryRunEngine(fakeHost()), logs[platform] ?? []),
  ];
  const engine = perPlatform(new Map([named('linux/amd64'), named('linux/arm64')]));
  await engine.remove(await engine.build(makeRequest({ platform: 'linux/arm64' })));
  expect(logs['linux/amd64']).toEqual([]);
  expect(logs['linux/arm64']?.map(({ $case }) => $case)).toEqual(['build', 'remove']);
  const half = perPlatform(new Map([named('linux/amd64')]));
  await expect(half.build(makeRequest({ platform: 'linux/arm64' }))).rejects.toMatchObject({
    code: 'engines/no-endpoint',
  });
});
