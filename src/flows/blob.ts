import type { Descriptor } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Registry, Repository } from '../registry/index.ts';

/** readSmall reads one blob whole, held against its digest; a larger one is not even asked for. */
export async function readSmall(
  registry: Registry,
  repo: Repository,
  blob: Descriptor,
  limit: number,
): Promise<Buffer> {
  if (blob.size > limit)
    throw new AppError('flows/too-large', 'upstream', 'a blob is larger than it may be', {
      expected: `at most ${limit} bytes`,
      found: `${blob.size} bytes (${blob.digest})`,
    });
  const bytes = Buffer.alloc(blob.size);
  let at = 0;
  // The stream ends with an error as soon as there are more bytes, or fewer, than the descriptor says.
  for await (const chunk of registry.blob(repo, blob)) at += (chunk as Buffer).copy(bytes, at);
  return bytes.subarray(0, at);
}
