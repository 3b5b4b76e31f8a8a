import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** GitServer serves every repository below a folder over HTTP, by git's own CGI program, and counts. */
export interface GitServer {
  /** `http://127.0.0.1:port/`. */
  readonly origin: string;
  /** `METHOD path?query` of every request, in order. */
  readonly log: string[];
  close(): Promise<void>;
}

function serve(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://x');
  const cgi = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      // Repositories of a test belong to whoever runs it.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  const parts: Buffer[] = [];
  request.pipe(cgi.stdin);
  cgi.stdin.on('error', () => undefined);
  cgi.stdout.on('data', (part: Buffer) => parts.push(part));
  cgi.on('close', () => {
    const all = Buffer.concat(parts);
    const end = all.indexOf('\r\n\r\n');
    const head = all.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(head.map((line) => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']));
    const { Status: status = '200', ...rest } = headers;
    response.writeHead(end < 0 ? 500 : Number.parseInt(status, 10), end < 0 ? {} : rest).end(all.subarray(end + 4));
  });
}

export async function startGitServer(folder: string): Promise<GitServer> {
  const log: string[] = [];
  const http = createServer((request, response) => {
    log.push(`${request.method ?? ''} ${request.url ?? ''}`);
    serve(folder, request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    log,
    close: () =>
      new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
        http.closeAllConnections();
      }),
  };
}
