import { execFileSync, spawn } from 'node:child_process';
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

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Files of the server, and of the authorities whose clients alone it lets in (its configuration's names). */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientcas?: readonly string[];
}

/** The registry takes bcrypt alone, which every Debian's perl can do (crypt(5)). */
function htpasswd({ user, password }: Login): string {
  const script = 'print crypt($ARGV[0], q($2b$04$abcdefghijklmnopqrstuu))';
  return `${user}:${execFileSync('perl', ['-e', script, password], { encoding: 'utf8' })}\n`;
}

/** startDockerRegistry runs the Debian package's docker-registry on a free loopback port, in a directory of its own; `login` is who may do anything at all. */
export async function startDockerRegistry(login?: Login, tls?: ServerTls): Promise<DockerRegistry> {
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
    http: { addr: host, ...(tls === undefined ? {} : { tls }) },
    ...(login === undefined ? {} : { auth: { htpasswd: { realm: 'private', path: join(directory, 'htpasswd') } } }),
  };
  const file = join(directory, 'config.json');
  if (login !== undefined) await writeFile(join(directory, 'htpasswd'), htpasswd(login));
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
    // Over TLS, the answer to plain HTTP is 400.
    const up = await fetch(`http://${host}/v2/`)
      .then(({ ok, status }) => ok || (login !== undefined && status === 401) || (tls !== undefined && status === 400))
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
