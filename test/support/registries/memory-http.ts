import type { IncomingMessage, ServerResponse } from 'node:http';

/** fail answers as the distribution spec says errors look. */
export function fail(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** sendRange answers with all bytes, or with those that Range asks for. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  headersOnly: boolean,
  headers: Record<string, string> = {},
): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range === null ? 0 : Number(range[1]);
  const part = bytes.subarray(start);
  const rangeHeader = range === null ? {} : { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': String(part.length),
    ...headers,
    ...rangeHeader,
  });
  response.end(headersOnly ? undefined : part);
}
