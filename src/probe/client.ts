import { collectBytes } from '../core/bytes.ts';
import { discard } from './discard.ts';
import type { Readable } from 'node:stream';
import type { FetchResponse } from '../host/index.ts';
import { endsRun, parseEvent, type AguiEvent } from './agui.ts';
import { readEvents, SseLimit } from './sse.ts';
import type { Probe } from './types.ts';
import { timeLimit } from '../core/time-limit.ts';

const jsonLimit = 1024 * 1024;

/** within aborts what it starts when the milliseconds are over, also when the probe is aborted. */
export async function within<T>(
  probe: Pick<Probe, 'signal'>,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return work(timeLimit(probe.signal, milliseconds));
}

async function readAll(body: Readable, limit: number): Promise<string> {
  const bytes = await collectBytes(body, limit);
  if (bytes === undefined) throw new SseLimit(`more than ${limit} bytes`);
  return bytes.toString('utf8');
}

export interface JsonAnswer {
  readonly status: number;
  readonly type: string;
  /** undefined when the body is no JSON. */
  readonly json: unknown;
}

/** askJson makes one bounded request; it throws what Host.fetch throws. */
export async function askJson(probe: Probe, url: string, path: string, body?: unknown): Promise<JsonAnswer> {
  return within(probe, probe.settings.requestTimeout, async (signal) => {
    const response = await probe.host.fetch(`${url}${path}`, {
      signal,
      timeout: probe.settings.requestTimeout,
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await readAll(response.body, jsonLimit);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, type: response.headers.get('content-type') ?? 'none', json };
  });
}

/** openRun posts one user message; the caller reads or destroys the body. */
export function openRun(
  probe: Probe,
  url: string,
  thread: string,
  text: string,
  signal: AbortSignal,
): Promise<FetchResponse> {
  const run = `run-${thread}`;
  return probe.host.fetch(`${url}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      threadId: thread,
      runId: run,
      messages: [{ id: `message-${thread}`, role: 'user', content: text }],
      state: {},
      tools: [],
      context: [],
      forwardedProps: {},
    }),
    signal,
    timeout: probe.settings.requestTimeout,
  });
}

export interface RunReading {
  readonly events: readonly AguiEvent[];
  /** Sentences about data that was no event, about limits, and about a stream that did not end. */
  readonly problems: readonly string[];
  readonly ended: boolean;
}

/** readRun reads events until the stream ends, `stop` says so, or time and bytes are over. */
export async function readRun(body: Readable, stop: (event: AguiEvent) => boolean = () => false): Promise<RunReading> {
  const events: AguiEvent[] = [];
  const problems: string[] = [];
  try {
    for await (const { data } of readEvents(body)) {
      const event = parseEvent(data);
      if (typeof event === 'string') {
        problems.push(event);
        continue;
      }
      events.push(event);
      if (stop(event)) return { events, problems, ended: false };
    }
    return { events, problems, ended: true };
  } catch (error) {
    const last = events.at(-1)?.type;
    const where = last === undefined ? 'before any event' : `after ${last}`;
    // Time over after the run's last event means only that the stream stays open.
    if (last === undefined || !endsRun(last)) problems.push(`a stream that broke ${where} (${reason(error)})`);
    else problems.push(`a stream left open ${where}`);
    return { events, problems, ended: false };
  } finally {
    discard(body);
  }
}

/** reason says in a few words why there is no answer. A mistake of this program's own is thrown on. */
export function reason(error: unknown): string {
  if (error instanceof RangeError || error instanceof ReferenceError) throw error;
  if (!(error instanceof Error)) return String(error);
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'time over' : error.message;
}

/** isEventStream is exact about the media type and lenient about its parameters. */
export const isEventStream = (response: FetchResponse): boolean =>
  (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() === 'text/event-stream';
