import type { Readable } from 'node:stream';

/** SseEvent is one event of a server-sent stream, by the rules of the HTML standard (section 9.2). */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export class SseLimit extends Error {
  override readonly name = 'SseLimit';
}

/** The bytes that one stream, and one event of it, may have before reading stops. */
export const sseLimits = { stream: 8 * 1024 * 1024, event: 1024 * 1024 };

/** readEvents gives each event as it comes; comments (heartbeats) are left out. Throws SseLimit. */
export async function* readEvents(body: Readable, limits = sseLimits): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending = '';
  let data: string[] = [];
  let event = 'message';
  let total = 0;
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    total += chunk.length;
    size += chunk.length;
    if (total > limits.stream) throw new SseLimit(`more than ${limits.stream} bytes in one stream`);
    pending += decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of CRLF: it waits for the next chunk.
    const lines = pending.split(/\r\n|\n|\r(?!$)/);
    pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event, data: data.join('\n') };
        data = [];
        event = 'message';
        size = 0;
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') data.push(value);
      if (field === 'event') event = value;
    }
    if (size > limits.event) throw new SseLimit(`more than ${limits.event} bytes in one event`);
  }
}
