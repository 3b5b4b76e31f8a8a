import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AppError, throwAll } from '../errors/index.ts';
import type { Digest } from '../core/index.ts';

/** Asset is one download to verify, of any architecture: nothing in it is executed. */
export interface Asset {
  /** Its name in the checksum file. */
  readonly name: string;
  readonly expected: Digest;
  /** Where the bytes come from: a URL or a path, for messages. */
  readonly source: string;
  /** The checksum file that says what to expect. */
  readonly checksumFile: string;
  open(): Readable | Promise<Readable>;
}

export interface Verified {
  readonly name: string;
  readonly digest: Digest;
  readonly size: number;
}

/** digestOfStream hashes a stream as it passes. Throws `checksums/too-large` past `limit` bytes. */
export async function digestOfStream(
  stream: Readable,
  limit: number,
  source: string,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Uint8Array;
    size += bytes.byteLength;
    if (size > limit) {
      stream.destroy();
      throw new AppError('checksums/too-large', 'upstream', 'more bytes than expected', {
        expected: `at most ${limit} bytes`,
        found: source,
      });
    }
    hash.update(bytes);
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

/** verifyAsset throws `checksums/mismatch` with expected, actual, source and file. */
export async function verifyAsset(asset: Asset, limit: number): Promise<Verified> {
  const { digest, size } = await digestOfStream(await asset.open(), limit, asset.source);
  if (digest === asset.expected) return { name: asset.name, digest, size };
  throw new AppError('checksums/mismatch', 'upstream', `${asset.name} is not what was pinned`, {
    expected: `${asset.expected} (${asset.checksumFile})`,
    found: `${digest}, ${size} bytes from ${asset.source}`,
    where: { file: asset.checksumFile },
    hint: 'do not accept the new checksum unseen: ask the publisher why the bytes changed',
  });
}

/** verifyAssets verifies all of them, then throws every mismatch at once. */
export async function verifyAssets(assets: readonly Asset[], limit: number): Promise<readonly Verified[]> {
  const results = await Promise.allSettled(assets.map((asset) => verifyAsset(asset, limit)));
  const errors: AppError[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    if (!(result.reason instanceof AppError)) throw result.reason;
    errors.push(result.reason);
  }
  throwAll(errors);
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
