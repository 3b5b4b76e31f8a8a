import { fakeHost } from '../support/fake-host.ts';
import { startDockerRegistry } from '../support/registries/docker-registry.ts';
import { describeRegistry } from './behaviour.ts';

describeRegistry({
  name: 'docker-registry 2.8',
  referrers: 'fallback',
  deletes: true,
  async start() {
    const server = await startDockerRegistry();
    return { host: server.host, fake: fakeHost(), close: () => server.close() };
  },
});
