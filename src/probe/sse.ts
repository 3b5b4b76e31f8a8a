import { createParser, type EventSourceMessage } from 'eventsource-parser';

export class SseLimit extends Error {
  override readonly name = 'SseLimit';
}

/** The bytes that one stream may have, and the characters of one event of it, before reading stops. */
export const sseLimits = { stream: 8 * 1024 * 1024, event: 1024 * 1024 };

/** readEvents returns each event of a server-sent stream as it comes; comments are left out. Throws SseLimit. */
export async function* readEvents(
  body: AsyncIterable<unknown>,
  limits = sseLimits,
): AsyncGenerator<EventSourceMessage> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const events: EventSourceMessage[] = [];
  const parser = createParser({
    maxBufferSize: limits.event,
    onEvent: (event) => void events.push(event),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new SseLimit(`more than ${limits.event} characters in one event`);
    },
  });
  let total = 0;
  for await (const chunk of body) {
    total += (chunk as Buffer).length;
    if (total > limits.stream) throw new SseLimit(`more than ${limits.stream} bytes in one stream`);
    parser.feed(decoder.decode(chunk as Buffer, { stream: true }));
    yield* events.splice(0);
  }
}
