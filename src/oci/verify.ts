import { createHash, type Hash } from 'node:crypto';
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { algorithmOf, type Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';

/** What a blob must be: its digest and its size in bytes. */
export interface Expected {
  readonly digest: Digest;
  readonly size: number;
}

export function digestMismatch(what: string, expected: string, found: string): AppError {
  return new AppError('oci/digest-mismatch', 'upstream', `${what} has other bytes than its digest says`, {
    expected,
    found,
    hint: 'the copy is damaged or was tampered with: remove it and fetch or build it again',
  });
}

export function sizeMismatch(what: string, expected: number, found: string): AppError {
  return new AppError('oci/size-mismatch', 'upstream', `${what} has another size than its descriptor says`, {
    expected: `${expected} bytes`,
    found,
    hint: 'the copy is damaged or was cut short: remove it and fetch or build it again',
  });
}

/** Check hashes and counts what passes; more than the stated size ends it at once. */
export class Check {
  private readonly hash: Hash;
  private readonly expected: Expected;
  private seen = 0;

  constructor(expected: Expected) {
    this.expected = expected;
    this.hash = createHash(algorithmOf(expected.digest));
  }

  update(chunk: Uint8Array): void {
    this.seen += chunk.length;
    if (this.seen > this.expected.size) throw sizeMismatch(this.expected.digest, this.expected.size, 'more');
    this.hash.update(chunk);
  }

  finish(): void {
    const { digest, size } = this.expected;
    if (this.seen < size) throw sizeMismatch(digest, size, `${this.seen} bytes`);
    const found = `${algorithmOf(digest)}:${this.hash.digest('hex')}`;
    if (found !== digest) throw digestMismatch('a blob', digest, found);
  }
}

class Verifier extends Transform {
  private readonly check: Check;

  constructor(expected: Expected) {
    super({ highWaterMark: 1024 * 1024 });
    this.check = new Check(expected);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.check.update(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.check.finish();
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

/** verified passes a blob's bytes on and fails at its end when size or digest are not the stated ones. */
export function verified(source: Readable, expected: Expected): Readable {
  // A source that is closed before its end, or was before it came here, ends the verifier with an error, too.
  return pipeline(source, new Verifier(expected), () => undefined);
}

/** readVerified reads a small blob whole. Throws `oci/too-large` past `limit` bytes, before reading any. */
export async function readVerified(source: Readable, expected: Expected, limit: number): Promise<Buffer> {
  if (expected.size > limit) {
    source.destroy();
    throw new AppError('oci/too-large', 'upstream', `${expected.digest} is too large`, {
      expected: `at most ${limit} bytes`,
      found: `${expected.size} bytes`,
    });
  }
  const parts: Buffer[] = [];
  for await (const part of verified(source, expected)) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
