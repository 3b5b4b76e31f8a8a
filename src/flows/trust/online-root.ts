import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

/**
 * onlineRoot fetches the public good instance's trusted_root.json by TUF, starting from the root that
 * the package carries; the cache directory keeps it for later runs. Throws `trust/online`.
 */
export async function onlineRoot({ env }: Host): Promise<string> {
  const { getTrustedRoot } = await import('@sigstore/tuf');
  const { TrustedRoot } = await import('@sigstore/protobuf-specs');
  const home = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/tmp', '.cache');
  try {
    const root = await getTrustedRoot({
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
