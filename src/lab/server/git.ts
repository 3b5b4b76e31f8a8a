import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';

const pattern = /^\/([\w.-]+\/[\w.-]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|HEAD|objects\/.*))$/;

export function isGit(path: string): boolean {
  return pattern.test(path);
}

/** CGI's answer begins with header lines; `Status:` is the only one that is not an HTTP header. */
function sendHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const [name = '', value = ''] = line.split(/:\s*(.*)/);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') response.setHeader(name, value);
  }
  response.writeHead(status);
}

/** gitBackend runs git's own CGI program (git-http-backend(1)) for one request. */
export async function gitBackend(
  root: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, repository = '', rest = ''] = pattern.exec(path) ?? [];
  const env = {
    PATH: process.env['PATH'],
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    // The repositories may belong to another user than the one who runs the lab.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    PATH_INFO: `/${repository}.git${rest}`,
    REQUEST_METHOD: request.method,
    QUERY_STRING: new URL(request.url ?? '/', 'http://lab').search.slice(1),
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: request.headers['content-length'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
    REMOTE_ADDR: '127.0.0.1',
  };
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    sendHead(head.subarray(0, end).toString('latin1'), response);
    response.write(head.subarray(end + 4));
  }
  response.end();
}
