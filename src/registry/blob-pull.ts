import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard } from './body.ts';
import { networkFailure, RegistryError, type Failure } from './failure.ts';
import { digestMismatch } from './manifest.ts';
import { formatRepository, type Repository } from './repository.ts';
import { backoff } from './retry.ts';
import { pull, push } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

/** blobExists asks with one HEAD. Throws RegistryError for anything but there and not there. */
export async function blobExists(wire: Transport, repo: Repository, blob: Descriptor): Promise<boolean> {
  return wire.send(
    {
      repo,
      method: 'HEAD',
      url: wire.url(repo, `blobs/${blob.digest}`),
      scopes: [push(wire.endpoint(repo).name)],
      expect: [200, 404],
      doing: `look for the blob ${blob.digest}`,
    },
    async (answer) => {
      await discard(answer.body);
      if (answer.status === 404) return false;
      const length = answer.headers.get('content-length');
      // A blob of another size under this digest would be a broken one: it is sent again.
      return length === undefined || Number(length) === blob.size || Number(length) === 0;
    },
  );
}

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
      expect: offset === 0 ? [200] : [200, 206],
      doing: `read the blob ${blob.digest}`,
    },
    async (answer) => answer,
  );
}

/** skipped says how many bytes of the answer are known already. */
function alreadyRead(answer: Answer, offset: number, what: string): number {
  if (offset === 0) return 0;
  // A server without ranges starts from the beginning.
  if (answer.status === 200) return offset;
  const range = answer.headers.get('content-range') ?? '';
  if (range.startsWith(`bytes ${offset}-`)) return 0;
  answer.body.destroy();
  throw new AppError('registry/unexpected-answer', 'upstream', `${what}: another range came than was asked for`, {
    expected: `bytes ${offset}-`,
    found: range.slice(0, 80),
  });
}

async function* verified(wire: Transport, repo: Repository, blob: Descriptor): AsyncGenerator<Buffer> {
  const what = `the blob ${blob.digest} of ${formatRepository(repo)}`;
  const hash = createHash('sha256');
  let offset = 0;
  let broken = 0;
  // The last piece is held back until the digest is known, so that no reader ever has a whole wrong blob.
  let held: Buffer | undefined;
  for (;;) {
    let failure: Failure | undefined;
    const answer = await openAt(wire, repo, blob, offset);
    let skip = alreadyRead(answer, offset, what);
    try {
      for await (const piece of answer.body) {
        let chunk = piece as Buffer;
        if (skip > 0) {
          const cut = Math.min(skip, chunk.length);
          skip -= cut;
          chunk = chunk.subarray(cut);
          if (chunk.length === 0) continue;
        }
        offset += chunk.length;
        if (offset > blob.size) throw tooLong(what, blob.size);
        hash.update(chunk);
        broken = 0;
        if (held !== undefined) yield held;
        held = chunk;
      }
    } catch (error) {
      if (wire.host.signal.aborted) throw error;
      failure = networkFailure(error, wire.secrets);
      if (failure === undefined) throw error;
    } finally {
      // Also when the reader stops early.
      answer.body.destroy();
    }
    if (offset === blob.size) break;
    broken += 1;
    failure ??= { code: 'unreachable', said: `the body ended after ${offset} of ${blob.size} bytes`, retry: true };
    if (broken >= wire.policy.attempts)
      throw new RegistryError(failure, `read ${what}`, formatRepository(repo), broken);
    wire.host.story.say(`${what}: broken off after ${offset} of ${blob.size} bytes; going on from there`);
    await wire.host.clock.sleep(backoff(wire.policy, broken), wire.host.signal);
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== blob.digest) throw digestMismatch(what, blob.digest, found, 'was asked for');
  if (held !== undefined) yield held;
}

function tooLong(what: string, size: number): AppError {
  return new AppError('registry/size-mismatch', 'upstream', `${what} is longer than its descriptor says`, {
    expected: `${size} bytes`,
    found: `more than ${size} bytes`,
  });
}

/**
 * readBlob gives the bytes of a blob, held against size and digest as they pass. A broken connection
 * is taken up where it broke (Range). Wrong bytes end the stream with `registry/digest-mismatch`
 * before its last piece was handed out.
 */
export function readBlob(wire: Transport, repo: Repository, blob: Descriptor): Readable {
  return Readable.from(verified(wire, repo, blob), { objectMode: false, highWaterMark: 1024 * 1024 });
}
