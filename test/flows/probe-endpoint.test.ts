import { expect, test } from 'vitest';
import { probeImage } from '../../src/flows/check/run.ts';
import { fakeHost } from '../support/fake-host.ts';

test.each(['ssh://builder@farm.example', 'tcp://192.0.2.1:2375'])(
  'a container on another machine (%s) is not probed: its ports are published on the loopback there',
  async (dockerHost) => {
    const image = {} as Parameters<typeof probeImage>[1];
    const failing = probeImage(fakeHost(), image, [], { profile: 'standard', depth: 'suite', dockerHost });
    await expect(failing).rejects.toMatchObject({ code: 'probe/endpoint', exit: 2, facts: { found: dockerHost } });
  },
);
