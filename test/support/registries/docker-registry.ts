import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DockerRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly directory: string;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** startDockerRegistry runs the Debian package's docker-registry on a free loopback port, in a directory of its own. */
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: directory },
      delete: { enabled: true },
      cache: { blobdescriptor: 'inmemory' },
    },
    http: { addr: host },
  };
  const file = join(directory, 'config.json');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => {
      resolve();
    });
    child.on('error', (error) => {
      said += error.message;
      resolve();
    });
  });
  for (let tries = 0; ; tries += 1) {
    const up = await fetch(`http://${host}/v2/`)
      .then((response) => response.ok)
      .catch(() => false);
    if (up) break;
    if (tries > 100 || child.exitCode !== null) throw new Error(`docker-registry did not start: ${said}`);
    await sleep(50);
  }
  return {
    host,
    directory,
    async close() {
      child.kill('SIGTERM');
      await Promise.race([ended, sleep(3000).then(() => child.kill('SIGKILL'))]);
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
