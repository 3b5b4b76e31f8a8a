import { join } from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { getTrustedRoot } from '@sigstore/tuf';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/**
 * onlineRoot fetches the public good instance's trusted_root.json by TUF, starting from the root that
 * the package carries; the cache directory keeps it for later runs. `fetchRoot` is TUF's client. Throws `trust/online`.
 */
export async function onlineRoot({ env }: Host, fetchRoot = getTrustedRoot): Promise<string> {
  const home = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/tmp', '.cache');
  try {
    const root = await fetchRoot({
      cachePath: join(home, 'openshell-runner-images', 'tuf'),
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
