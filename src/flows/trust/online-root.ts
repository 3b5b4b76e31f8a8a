import { join } from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { getTrustedRoot } from '@sigstore/tuf';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/**
 * onlineRoot fetches the public good instance's trusted_root.json by TUF, starting from the root that
 * the package carries; the cache directory keeps it for later runs. Without a home it is kept for this run only: a folder below
 * /tmp that another user made first would be that user's root of trust. `fetchRoot` is TUF's client. Throws
 * `trust/online`.
 */
export async function onlineRoot({ env, files }: Host, fetchRoot = getTrustedRoot): Promise<string> {
  const home = env['XDG_CACHE_HOME'] ?? (env['HOME'] === undefined ? undefined : join(env['HOME'], '.cache'));
  if (home !== undefined) return await fetchInto(join(home, 'openshell-runner-images', 'tuf'), fetchRoot);
  const own = await files.temporaryDirectory('tuf');
  try {
    return await fetchInto(own, fetchRoot);
  } finally {
    await files.remove(own);
  }
}

async function fetchInto(cachePath: string, fetchRoot: typeof getTrustedRoot): Promise<string> {
  try {
    const root = await fetchRoot({
      cachePath,
      timeout: 15_000,
      retry: 1,
    });
    return JSON.stringify(TrustedRoot.toJSON(root));
  } catch (cause) {
    throw new AppError('trust/online', 'upstream', 'the public trust root could not be fetched', {
      expected: 'tuf-repo-cdn.sigstore.dev to answer',
      hint: 'give a trusted_root.json with --trusted-root, then no network is needed',
      cause,
    });
  }
}
