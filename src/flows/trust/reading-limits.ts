import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Descriptor } from '../../core/index.ts';
import { contentProblem, type Registry, type Repository } from '../../registry/index.ts';
import { refuse, type Refused } from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';

/** Bytes that are read of what is attached to one node: many times what this project attaches. */
export const maxNodeBytes = 64 * 1024 * 1024;
/** Milliseconds that the work of verifying may take for a whole tree, reading not counted. */
export const maxWork = 30_000;
/** A blob of more bytes is read when no other one is. */
const large = 512 * 1024;

setFlagsFromString('--expose-gc');
/** Left to itself, V8 collects what 8 MB of JSON were made into only when several times as much has gathered. */
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * ReadingLimits bound what one verification reads and does, whatever is attached: bytes for each node, one large blob in
 * memory at a time, and time for the work.
 */
export class ReadingLimits {
  #worked = 0;
  #last: Promise<unknown> = Promise.resolve();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Runs `work`, alone when it is about a blob of many bytes. */
  async inTurn<T>({ size }: Descriptor, work: () => Promise<T>): Promise<T> {
    if (size <= large) return await work();
    const mine = this.#last.then(work);
    this.#last = mine
      .catch(() => undefined)
      .then(() => {
        collectGarbage();
      });
    return await mine;
  }

  /** Verifies, and counts the time; refuses without looking when it is used up. */
  async verify<T>(work: () => Promise<T>): Promise<T | Refused> {
    if (this.#worked > maxWork)
      return refuse('too-slow', `what is attached took more than ${maxWork / 1000} s to verify`);
    const before = this.#now();
    try {
      return await work();
    } finally {
      this.#worked += this.#now() - before;
    }
  }
}

/** NodeBytes reads blobs of one node, not more than `maxNodeBytes` in all. */
export class NodeBytes {
  #left = maxNodeBytes;
  readonly #registry: Registry;
  readonly #repo: Repository;

  constructor(registry: Registry, repo: Repository) {
    this.#registry = registry;
    this.#repo = repo;
  }

  /** Returns the bytes, or why they do not count. Throws when the registry as a whole cannot be asked. */
  async read(blob: Descriptor, limit: number): Promise<Buffer | Refused> {
    if (blob.size > limit) return refuse('too-large', `a blob of ${blob.size} bytes, at most ${limit} are read`);
    if (blob.size > this.#left) return refuse('too-large', `more than ${maxNodeBytes} bytes are attached to this node`);
    this.#left -= blob.size;
    try {
      return await readSmall(this.#registry, this.#repo, blob, limit);
    } catch (error) {
      const problem = contentProblem(error);
      if (problem === undefined) throw error;
      return refuse(problem.reason, problem.detail);
    }
  }
}
