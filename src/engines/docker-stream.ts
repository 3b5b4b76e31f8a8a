import type { Readable } from 'node:stream';
import { isDigest, Lines, type Digest } from '../core/index.ts';
import type { AppError } from '../errors/index.ts';
import { buildFailed, engineDied } from './build-error.ts';
import { StepLines } from './step-lines.ts';
import { decodeTrace } from './buildkit/trace.ts';
import { Tracker } from './tracker.ts';
import type { BuildRequest } from './types.ts';

interface Message {
  readonly id?: string | undefined;
  readonly aux?: unknown;
  readonly stream?: string | undefined;
  readonly error?: string | undefined;
  readonly errorDetail?: { readonly message?: string | undefined } | undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Outcome of one build stream: an image, or the error that a user sees. */
export type Outcome = { readonly id: Digest | undefined } | { readonly error: AppError };

/**
 * DockerStream interprets the lines of POST /build: BuildKit's traces as well as the plain text of
 * Podman's builder. It has no connection of its own, so recorded streams test it.
 */
export class DockerStream {
  readonly #request: BuildRequest;
  readonly #engine: string;
  readonly #tracker: Tracker;
  readonly #plain: StepLines;
  readonly #lines = new Lines();
  #id: Digest | undefined;
  #error: string | undefined;
  #finished = false;

  constructor(request: BuildRequest, engine: string) {
    this.#request = request;
    this.#engine = engine;
    this.#tracker = new Tracker(request.platform, request.onProgress);
    this.#plain = new StepLines(this.#tracker);
  }

  push(chunk: Uint8Array): void {
    for (const line of this.#lines.push(chunk)) this.#line(line);
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      this.#error ??= `unreadable answer: ${line.slice(0, 200)}`;
      return;
    }
    if (message.id === 'moby.buildkit.trace' && typeof message.aux === 'string')
      this.#tracker.trace(decodeTrace(message.aux));
    else if (typeof message.aux === 'object' && message.aux !== null && 'ID' in message.aux)
      this.#found(message.aux.ID);
    else if (message.error !== undefined) this.#error ??= (message.errorDetail?.message ?? message.error).trim();
    else if (message.stream !== undefined) this.#text(message.stream);
  }

  #found(id: unknown): void {
    if (typeof id === 'string' && isDigest(id)) this.#id = id;
    this.#finished = true;
  }

  #text(text: string): void {
    if (/^Successfully (?:built|tagged) /m.test(text)) this.#finished = true;
    this.#plain.push(text);
  }

  /** outcome is asked once, when the stream has ended; `cause` is what ended it early. */
  outcome(cause?: unknown): Outcome {
    // A last line without its end was cut off: whatever it says, the engine did not finish saying it.
    for (const line of this.#lines.end()) if (isJson(line)) this.#line(line);
    this.#plain.end(this.#error);
    if (this.#error !== undefined)
      return { error: buildFailed(this.#request, this.#engine, this.#tracker.failure(this.#error)) };
    if (cause !== undefined || !this.#finished) return { error: engineDied(this.#engine, cause) };
    return { id: this.#id };
  }
}

/** readBuild follows a build's answer to its end. */
export async function readBuild(stream: Readable, request: BuildRequest, engine: string): Promise<Outcome> {
  const interpreter = new DockerStream(request, engine);
  try {
    for await (const chunk of stream) interpreter.push(chunk as Uint8Array);
  } catch (cause) {
    request.signal.throwIfAborted();
    return interpreter.outcome(cause);
  }
  request.signal.throwIfAborted();
  return interpreter.outcome();
}
