import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import type { Content } from './content.ts';
import { startDaemon, type Daemon } from './daemons.ts';
import { labSource } from './paths.ts';
import type { ServerConfig } from './server/main.ts';

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** startArtifactServer runs server/main.ts detached, so that it outlives the command. */
export async function startArtifactServer(
  lab: string,
  cache: string,
  content: Content,
  certificates: Certificates,
  ports: { readonly https: number; readonly http: number },
): Promise<Daemon> {
  const config: ServerConfig = {
    httpsPort: ports.https,
    httpPort: ports.http,
    certificate: certificates.certificate,
    key: certificates.key,
    site: content.site,
    repositories: content.repositories,
    uv: join(cache, 'artifacts/uv'),
    unpacked: join(cache, 'unpacked'),
    npmTarball: content.npmTarball,
    sets: content.sets,
  };
  await mkdir(join(lab, 'server'), { recursive: true });
  const file = join(lab, 'server/config.json');
  await writeFile(file, JSON.stringify(config));
  const args = [join(labSource, 'server/main.ts'), file];
  // It listens on HTTPS first and on HTTP when that worked.
  const ready = async (): Promise<boolean> => accepts(ports.http);
  return startDaemon('artifact-server', process.execPath, args, join(lab, 'server/log'), ready);
}
