import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail } from './memory-http.ts';
import type { MemoryStore, UploadSession } from './memory-store.ts';

/** answerUpload serves blobs/uploads/ : mounts, sessions, pieces, and what was broken off. */
export async function answerUpload(
  store: MemoryStore,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  id: string,
  url: URL,
): Promise<void> {
  const { method } = request;
  if (method === 'POST') {
    const digest = url.searchParams.get('mount') ?? '';
    const bytes = store.repositories.get(url.searchParams.get('from') ?? '')?.blobs.get(digest);
    if (bytes !== undefined) {
      store.repository(name).blobs.set(digest, bytes);
      response.writeHead(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest }).end();
      return;
    }
    answerSession(response, 202, store.openUpload(name));
    return;
  }
  const session = store.uploads.get(id);
  // The state in the query stands for what registries keep there: losing it is an error.
  if (session?.repository !== name || url.searchParams.get('_state') !== `s-${id}`) {
    fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    return;
  }
  if (method === 'GET') {
    answerSession(response, 204, session);
    return;
  }
  if (method === 'DELETE') {
    store.uploads.delete(id);
    response.writeHead(204).end();
    return;
  }
  const range = request.headers['content-range'];
  if (range !== undefined && Number(range.split('-')[0]) !== session.size) {
    request.resume();
    answerSession(response, 416, session);
    return;
  }
  try {
    for await (const chunk of request) {
      session.chunks.push(chunk as Buffer);
      session.size += (chunk as Buffer).length;
    }
  } catch {
    // The connection broke: what came is kept, as an honest registry does.
    return;
  }
  if (method === 'PATCH') {
    answerSession(response, 202, session);
    return;
  }
  const digest = url.searchParams.get('digest') ?? '';
  const error = store.closeUpload(session, digest);
  if (error !== undefined) {
    fail(response, 400, error);
    return;
  }
  response.writeHead(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest }).end();
}

function answerSession(response: ServerResponse, status: number, session: UploadSession): void {
  response.writeHead(status, {
    location: `/v2/${session.repository}/blobs/uploads/${session.id}?_state=s-${session.id}`,
    range: `0-${Math.max(0, session.size - 1)}`,
  });
  response.end();
}
