import type { Hash } from 'node:crypto';
import { finished, Readable } from 'node:stream';
import { bounds, deadlines } from '../core/deadlines.ts';
import { algorithmOf } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { networkFailure, RegistryError, type Failure } from './failure.ts';
import { digestMismatch } from './manifest.ts';
import { formatRepository, type Repository } from './repository.ts';
import { backoff } from '../core/retry.ts';
import { pull } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

function openAt(wire: Transport, repo: Repository, blob: Descriptor, offset: number): Promise<Answer> {
  return wire.send(
    {
      repo,
      method: 'GET',
      url: wire.url(repo, `blobs/${blob.digest}`),
      headers: {
        'accept-encoding': 'identity',
        ...(offset === 0 ? {} : { range: `bytes=${offset}-${blob.size - 1}` }),
      },
      scopes: [pull(wire.endpoint(repo).name)],
      // 416: there is nothing from here on.
      expect: offset === 0 ? [200] : [200, 206, 416],
      total: deadlines.transfer,
      doing: `read the blob ${blob.digest}`,
    },
    async (answer) => answer,
  );
}

/** alreadyRead says how many bytes of the answer are known already. */
function alreadyRead(answer: Answer, offset: number, what: string): number {
  if (offset === 0) return 0;
  // A server without ranges starts from the beginning.
  if (answer.status === 200) return offset;
  const range = answer.headers.get('content-range') ?? '';
  if (range.startsWith(`bytes ${offset}-`)) return 0;
  answer.body.destroy();
  throw new AppError(
    'registry/unexpected-answer',
    'upstream',
    `${what}: the registry returned another range than requested`,
    {
      expected: `bytes ${offset}-`,
      found: range.slice(0, 80),
    },
  );
}

/**
 * BlobStream returns a blob's bytes from `start` on, and takes a broken connection up where it broke. It works with
 * events, not with generators: an image's layers pass here, and every wrapper around a piece is paid a thousand times.
 */
export class BlobStream extends Readable {
  readonly #wire: Transport;
  readonly #repo: Repository;
  readonly #blob: Descriptor;
  readonly #what: string;
  readonly #hash: Hash | undefined;
  /** The last piece is held back until the digest is known, so that no reader ever has a whole wrong blob. */
  #held: Buffer | undefined;
  #body: Readable | undefined;
  #offset: number;
  #skip = 0;
  /** Connections that broke since one brought `bounds.resumeBytes`. */
  #broken = 0;
  #opened = 0;
  /** Bytes that the connection has brought. */
  #brought = 0;
  /** The answer said how long it is: then an end without an error is the blob's own end. */
  #announced = false;
  /** Where the latest answer ended that broke nowhere. */
  #endedAt: number | undefined;
  /** When the first connection was opened, in milliseconds. */
  #since: number | undefined;
  /** A connection is being opened, or waited for. */
  #opening = false;

  constructor(wire: Transport, repo: Repository, blob: Descriptor, hash: Hash | undefined, start: number) {
    super({ highWaterMark: 1024 * 1024 });
    this.#wire = wire;
    this.#repo = repo;
    this.#blob = blob;
    this.#what = `the blob ${blob.digest} of ${formatRepository(repo)}`;
    this.#hash = hash;
    this.#offset = start;
  }

  override _read(): void {
    if (this.#body !== undefined) this.#body.resume();
    else if (!this.#opening) void this.#open();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#body?.destroy();
    done(error);
  }

  async #open(): Promise<void> {
    this.#opening = true;
    this.#opened += 1;
    this.#brought = 0;
    this.#since ??= this.#wire.host.clock.now().getTime();
    try {
      const answer = await openAt(this.#wire, this.#repo, this.#blob, this.#offset);
      if (this.destroyed) answer.body.destroy();
      else if (answer.status === 416) {
        answer.body.destroy();
        this.destroy(otherSize(this.#what, this.#blob.size, `no byte from ${this.#offset} on`));
      } else this.#listen(answer);
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#opening = false;
    }
  }

  #listen(answer: Answer): void {
    this.#skip = alreadyRead(answer, this.#offset, this.#what);
    const { body } = answer;
    this.#announced = answer.headers.get('content-length') !== undefined;
    this.#body = body;
    body.on('data', (chunk: Buffer) => {
      if (this.#body === body && !this.#take(chunk)) body.pause();
    });
    // It may be broken already, and have said so before anyone listened: `finished` looks at its state, too.
    finished(body, { writable: false }, (error) => {
      this.#body = undefined;
      body.destroy();
      if (this.destroyed) return;
      this.#opening = true;
      this.#ended(error ?? undefined).catch((failure: unknown) => this.destroy(failure as Error));
    });
  }

  /** False: the reader has enough for now. */
  #take(piece: Buffer): boolean {
    const cut = Math.min(this.#skip, piece.length);
    this.#skip -= cut;
    const chunk = cut === 0 ? piece : piece.subarray(cut);
    if (chunk.length === 0) return true;
    this.#offset += chunk.length;
    if (this.#offset > this.#blob.size) {
      this.destroy(otherSize(this.#what, this.#blob.size, `more than ${this.#blob.size} bytes`));
      return false;
    }
    this.#brought += chunk.length;
    if (this.#hash === undefined) return this.push(chunk);
    this.#hash.update(chunk);
    const before = this.#held;
    this.#held = chunk;
    return before === undefined || this.push(before);
  }

  async #ended(error: unknown): Promise<void> {
    if (this.#offset === this.#blob.size) {
      this.#finish();
      return;
    }
    if (error === undefined && (this.#announced || this.#endedAt === this.#offset))
      throw otherSize(this.#what, this.#blob.size, `${this.#offset} bytes`);
    this.#endedAt = error === undefined ? this.#offset : undefined;
    const { host, policy, secrets } = this.#wire;
    if (error !== undefined && host.signal.aborted) throw error as Error;
    const said = `the body ended after ${this.#offset} of ${this.#blob.size} bytes`;
    const failure: Failure | undefined =
      error === undefined ? { code: 'unreachable', said, retry: true } : networkFailure(error, secrets);
    if (failure === undefined) throw error;
    this.#broken = this.#brought >= bounds.resumeBytes ? 1 : this.#broken + 1;
    const took = host.clock.now().getTime() - (this.#since ?? 0);
    if (this.#broken >= policy.attempts || this.#opened >= bounds.resumes || took >= deadlines.transfer)
      throw new RegistryError(failure, `read ${this.#what}`, formatRepository(this.#repo), this.#opened);
    const where = `${this.#what}: broken off after ${this.#offset} of ${this.#blob.size} bytes`;
    host.progress.say(`${where}; going on from there`);
    await host.clock.sleep(backoff(policy, this.#broken), host.signal);
    if (!this.destroyed) await this.#open();
  }

  #finish(): void {
    const found =
      this.#hash === undefined ? undefined : `${algorithmOf(this.#blob.digest)}:${this.#hash.digest('hex')}`;
    if (found !== undefined && found !== this.#blob.digest)
      throw digestMismatch(this.#what, this.#blob.digest, found, 'was asked for');
    if (this.#held !== undefined) this.push(this.#held);
    this.push(null);
  }
}

function otherSize(what: string, expected: number, found: string): AppError {
  return new AppError('registry/size-mismatch', 'upstream', `${what} has another size than its descriptor says`, {
    expected: `${expected} bytes`,
    found,
  });
}
