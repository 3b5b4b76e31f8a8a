import { fakeHost } from '../support/fake-host.ts';
import { loginFile, passwordFor } from '../support/registries/login.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistryOptions } from '../support/registries/memory-registry.ts';
import { describeRegistry, type Leg } from './behaviour.ts';

const user = { user: 'org+robot', password: 'correct horse battery staple' };

/** Every seventh request fails as Quay's do; tokens included. */
function sprinkled(): Fault {
  let count = 0;
  return (request, response) => {
    count += 1;
    if (count % 7 !== 0) return false;
    request.resume();
    response.writeHead(502, { 'content-type': 'text/html' }).end('<html><title>502 Bad Gateway</title></html>');
    return true;
  };
}

/** Every fourth request meets another misfortune. */
function misfortunes(): Fault {
  let count = 0;
  return (request, response) => {
    count += 1;
    if (count % 4 !== 0) return false;
    if (count % 16 === 0) {
      request.socket.destroy();
      return true;
    }
    request.resume();
    if (count % 16 === 4) response.writeHead(429, { 'retry-after': '2' }).end();
    else if (count % 16 === 8)
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"errors":[{"code":"UNKNOWN"}]}');
    else response.writeHead(503, { 'content-type': 'text/html' }).end('<html></html>');
    return true;
  };
}

function memoryLeg(name: string, referrers: Leg['referrers'], options: () => Omit<MemoryRegistryOptions, 'now'>): Leg {
  return {
    name,
    referrers,
    deletes: true,
    async start() {
      const clock = { now: () => 0 };
      const server = await startMemoryRegistry({ ...options(), now: () => clock.now() });
      const login = loginFile({ auths: { [server.host]: passwordFor(user.user, user.password) } });
      const fake = fakeHost({ env: login.env });
      clock.now = () => fake.clock.now().getTime();
      return {
        host: server.host,
        fake,
        close: async () => {
          login.remove();
          await server.close();
        },
      };
    },
  };
}

describeRegistry(memoryLeg('a registry with the referrers API', 'header', () => ({ referrers: 'api' })));
describeRegistry(memoryLeg('the same, two entries per page', 'header', () => ({ referrers: 'api', pageSize: 2 })));
describeRegistry(
  memoryLeg('an older registry, basic authentication', 'fallback', () => ({
    referrers: 'none',
    auth: { scheme: 'basic', ...user },
  })),
);
describeRegistry(
  memoryLeg("a registry with Quay's ways", 'api', () => ({
    referrers: 'quay',
    auth: { scheme: 'bearer', ...user, expiresIn: 60 },
    fault: sprinkled(),
  })),
);
describeRegistry(
  memoryLeg('a registry that forgets headers', 'fallback', () => ({
    referrers: 'none',
    omit: ['docker-content-digest', 'etag', 'oci-subject'],
  })),
);
describeRegistry(
  memoryLeg('a registry that fails every fourth request, one way or another', 'header', () => ({
    referrers: 'api',
    fault: misfortunes(),
  })),
);
