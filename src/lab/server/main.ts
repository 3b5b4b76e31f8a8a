/**
 * The lab's artifact server, a process of its own: over HTTPS what github.com would give (release
 * files and git), over plain loopback HTTP the packages of `dnf` and `uv`, which carry hashes.
 * Argument: path of a JSON file, ServerConfig. It writes one line to stdout when it listens.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Deb } from '../apt.ts';
import type { Architecture } from '../packages.ts';
import { dnf } from './dnf.ts';
import { gitBackend, isGit } from './git.ts';
import { sendFile } from './static.ts';
import { UnpackedDebs } from './unpacked.ts';

export interface ServerConfig {
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly certificate: string;
  readonly key: string;
  /** What github.com would serve as files. */
  readonly site: string;
  /** Holds <owner>/<name>.git. */
  readonly repositories: string;
  /** Directory of uv's archives. */
  readonly uv: string;
  /** Where packages lie unpacked once they were asked for. */
  readonly unpacked: string;
  readonly npmTarball: string;
  /** JSON of the solved package sets. */
  readonly sets: Readonly<Record<Architecture, string>>;
}

type Handler = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ServerConfig;
const readSet = (path: string): Map<string, Deb> =>
  new Map((JSON.parse(readFileSync(path, 'utf8')) as Deb[]).map((deb) => [deb.name, deb]));
const unpacked = new UnpackedDebs(config.unpacked);
const sets = { amd64: readSet(config.sets.amd64), arm64: readSet(config.sets.arm64) };

function answering(handler: Handler) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://lab').pathname);
    const failed = (error: unknown): void => {
      process.stderr.write(`${request.method ?? ''} ${path}: ${String(error)}\n`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(`${String(error)}\n`);
    };
    if (path.includes('..')) response.writeHead(400).end();
    else handler(path, request, response).catch(failed);
  };
}

const github: Handler = async (path, request, response) => {
  if (isGit(path)) await gitBackend(config.repositories, path, request, response);
  else await sendFile(config.site, path, response);
};

const packages: Handler = async (path, request, response) => {
  const [, kind, architecture = '', action = ''] = path.split('/');
  if (kind === 'uv') await sendFile(config.uv, path.slice('/uv'.length), response);
  else if (kind === 'dnf' && (architecture === 'amd64' || architecture === 'arm64'))
    await dnf({ debs: sets[architecture], unpacked, npmTarball: config.npmTarball }, action, request, response);
  else response.writeHead(404).end('not found\n');
};

const https = createHttps({ cert: readFileSync(config.certificate), key: readFileSync(config.key) }, answering(github));
const http = createHttp(answering(packages));
https.listen(config.httpsPort, '127.0.0.1', () => {
  http.listen(config.httpPort, '127.0.0.1', () => process.stdout.write('listening\n'));
});
process.once('SIGTERM', () => process.exit(0));
