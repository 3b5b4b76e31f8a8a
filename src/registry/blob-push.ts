import { Readable } from 'node:stream';
import { bounds, deadlines } from '../core/deadlines.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { blobExists } from './blob-pull.ts';
import { discard } from './body.ts';
import { RegistryError } from './failure.ts';
import { formatRepository, type Repository } from './repository.ts';
import { backoff, isTransient } from '../core/retry.ts';
import { push } from './scope.ts';
import type { FilePart } from '../host/index.ts';
import type { BlobSource } from './source.ts';
import type { Transport } from './transport.ts';
import {
  askSession,
  cancelSession,
  openUpload,
  received,
  sessionOf,
  withDigest,
  type Session,
} from './upload-session.ts';

export interface UploadOptions {
  /** Repositories of the same registry that may hold the blob already, by their API names. */
  readonly mountFrom?: readonly string[] | undefined;
  /** Largest piece in one request, in bytes; default everything at once. Some proxies limit it. */
  readonly chunk?: number | undefined;
}

/** How a blob came to be there. */
export type Uploaded = 'mounted' | 'uploaded';

/** Blobs up to this size are sent with the request that closes the upload: one request less. */
const monolithic = 1024 * 1024;
/** What is tried when something in between says that the piece is too large (413). */
const smallChunk = 16 * 1024 * 1024;

/** piece opens the source at `start`, cut after `length` bytes; a failure of the source is distinguished from the network's. */
async function piece(
  source: BlobSource,
  blob: Descriptor,
  start: number,
  length: number,
): Promise<Readable | FilePart> {
  if (source.file !== undefined) return { path: await source.file(blob), start, length };
  const failed = (cause: unknown): AppError =>
    new AppError('registry/source', 'machine', `the bytes of ${blob.digest} could not be read for the upload`, {
      expected: `${blob.size} bytes`,
      cause,
    });
  const cut = async function* (): AsyncGenerator<Buffer> {
    let left = length;
    try {
      const stream = await source.open(blob, start);
      for await (const chunk of stream) {
        const bytes = (chunk as Buffer).subarray(0, left);
        left -= bytes.length;
        if (bytes.length > 0) yield bytes;
        if (left === 0) break;
      }
    } catch (cause) {
      // A RegistryError of the source must not look like one of the upload, which would be tried again.
      throw cause instanceof AppError && !(cause instanceof RegistryError) ? cause : failed(cause);
    }
    if (left > 0) throw failed(new Error(`the source ended ${left} bytes too early`));
  };
  return Readable.from(cut(), { objectMode: false, highWaterMark: 1024 * 1024 });
}

class Upload {
  readonly #wire: Transport;
  readonly #repo: Repository;
  readonly #source: BlobSource;
  readonly #blob: Descriptor;
  #chunk: number;
  /** Requests of which the registry took only a part. */
  #partial = 0;

  constructor(wire: Transport, repo: Repository, source: BlobSource, blob: Descriptor, chunk: number) {
    this.#wire = wire;
    this.#repo = repo;
    this.#source = source;
    this.#blob = blob;
    this.#chunk = chunk;
  }

  /** send sends what is missing and closes the upload. */
  async send(session: Session): Promise<void> {
    let at = session;
    if (this.#blob.size - at.offset <= Math.min(monolithic, this.#chunk)) return this.#close(at);
    while (at.offset < this.#blob.size) at = await this.#patch(at);
    await this.#close(at);
  }

  async #patch(session: Session): Promise<Session> {
    const wire = this.#wire;
    const length = Math.min(Math.max(this.#chunk, session.minChunk), this.#blob.size - session.offset);
    const end = session.offset + length;
    return wire.send(
      {
        repo: this.#repo,
        method: 'PATCH',
        url: session.location,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(length),
          'content-range': `${session.offset}-${end - 1}`,
        },
        body: () => piece(this.#source, this.#blob, session.offset, length),
        ...this.#rules(),
        expect: [200, 201, 202, 204],
      },
      async (answer) => {
        await discard(answer.body);
        const there = received(answer) ?? end;
        // A registry that takes a byte of each request would be sent them all.
        if (there < end) this.#partial += 1;
        if (there > end || there <= session.offset || this.#partial > bounds.resumes) throw this.#lost(there);
        return { ...sessionOf(wire, this.#repo, answer, there), minChunk: session.minChunk };
      },
    );
  }

  async #close(session: Session): Promise<void> {
    const length = this.#blob.size - session.offset;
    const range =
      length === 0 || session.offset === 0 ? {} : { 'content-range': `${session.offset}-${this.#blob.size - 1}` };
    await this.#wire.send(
      {
        repo: this.#repo,
        method: 'PUT',
        url: withDigest(session.location, this.#blob.digest),
        headers: { 'content-length': String(length), 'content-type': 'application/octet-stream', ...range },
        ...(length === 0 ? {} : { body: () => piece(this.#source, this.#blob, session.offset, length) }),
        ...this.#rules(),
        expect: [200, 201, 204],
      },
      async (answer) => discard(answer.body),
    );
  }

  /** A piece that broke off must not be sent again blindly: the registry is asked first what it has. */
  #rules() {
    const doing = `upload ${this.#blob.digest}`;
    return {
      scopes: [push(this.#wire.endpoint(this.#repo).name)],
      attempts: 1,
      timeout: 300_000,
      total: deadlines.transfer,
      doing,
    };
  }

  /** smaller makes pieces that a proxy lets through; false when they are small already. */
  smaller(): boolean {
    if (this.#chunk <= smallChunk) return false;
    this.#chunk = smallChunk;
    return true;
  }

  #lost(there: number): AppError {
    return new AppError('registry/upload', 'upstream', `${formatRepository(this.#repo)} lost count of an upload`, {
      found: `${there} bytes of ${this.#blob.size}`,
    });
  }
}

/** mayGoOn: the same upload, or a fresh one, can still work. */
function mayGoOn(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError)) return false;
  const { status } = error;
  // 404: the session is gone; 400, 416: it stands elsewhere than we thought.
  if (status === undefined) return error.code === 'registry/unreachable';
  return isTransient(status) || status === 404 || status === 416 || status === 413;
}

/**
 * uploadBlob brings one blob into a repository: mounted where the registry can, else uploaded. After
 * a broken connection the registry is asked how much it has and gets the rest; a session that it has
 * forgotten is begun anew. The registry itself checks the digest. Throws RegistryError,
 * `registry/source` or `registry/upload`.
 */
export async function uploadBlob(
  wire: Transport,
  repo: Repository,
  source: BlobSource,
  blob: Descriptor,
  options: UploadOptions = {},
): Promise<Uploaded> {
  let session: Session | undefined;
  for (const from of options.mountFrom ?? []) {
    const opened = await openUpload(wire, repo, blob.digest, from).catch((error: unknown) => {
      // No right to read there, or no such repository: then it is uploaded.
      if (error instanceof RegistryError && error.status !== undefined && error.status < 500 && error.status !== 429)
        return undefined;
      throw error;
    });
    if (opened?.$case === 'mounted') {
      if (session !== undefined) await cancelSession(wire, repo, session);
      return 'mounted';
    }
    if (session !== undefined && opened !== undefined) await cancelSession(wire, repo, session);
    session = opened?.session ?? session;
  }
  const upload = new Upload(wire, repo, source, blob, options.chunk ?? Number.MAX_SAFE_INTEGER);
  let anew = false;
  for (let broken = 1; ; broken += 1) {
    if (session === undefined) {
      const opened = await openUpload(wire, repo, blob.digest);
      if (opened.$case === 'session') session = opened.session;
      else return 'mounted';
    }
    try {
      await upload.send(session);
      return 'uploaded';
    } catch (error) {
      // Bytes that were there when the connection broke may be garbled: one more, whole attempt.
      const garbled = broken > 1 && !anew && error instanceof RegistryError && error.status === 400;
      if (garbled) {
        anew = true;
        session = undefined;
        continue;
      }
      if (!mayGoOn(error) || broken >= wire.policy.attempts) throw error;
      const tooLarge = error.status === 413;
      if (tooLarge && !upload.smaller()) throw error;
      const wait = Math.max(backoff(wire.policy, broken), tooLarge ? 0 : (error.wait ?? 0));
      wire.host.progress.say(
        `${formatRepository(repo)}: the upload of ${blob.digest} broke off; going on in ${(wait / 1000).toFixed(1)} s`,
      );
      await wire.host.clock.sleep(wait, wire.host.signal);
      session = await askSession(wire, repo, session);
      // When only the last answer was lost, the blob is there although the session is gone.
      if (session === undefined && (await blobExists(wire, repo, blob))) return 'uploaded';
    }
  }
}
