import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  createVerifier,
  isKeyless,
  keyTrust,
  maxTrustedRootBytes,
  readTrustedRoot,
  type BundleVerifier,
  type Trust,
  type TrustPolicy,
} from '../../sigstore/index.ts';
import { severalSigners } from './further-signers.ts';

/** TrustLoader fetches the public trust root by TUF; handed in, so that only an online run needs it. */
export type TrustLoader = () => Promise<string>;

export interface TrustSources {
  /** trusted_root.json; with it nothing but the registry is asked. */
  readonly trustedRoot?: string | undefined;
  readonly online?: TrustLoader | undefined;
}

export async function rootOf(host: Host, sources: TrustSources): Promise<string | undefined> {
  if (sources.trustedRoot !== undefined) return await host.files.readText(sources.trustedRoot, maxTrustedRootBytes);
  return await sources.online?.();
}

/** checkSources refuses trust roots that exclude each other, or that would be asked for nothing. */
export function checkSources({ trustedRoot, online }: TrustSources, signedBy: 'key' | 'identity'): void {
  if (trustedRoot !== undefined && online !== undefined)
    throw new AppError('trust/two-roots', 'usage', 'two trust roots are named', {
      expected: '--trusted-root FILE or --online, not both',
    });
  if (signedBy === 'key' && online !== undefined)
    throw new AppError('trust/key-online', 'usage', 'a key is verified without the public trust root', {
      expected: 'the key alone, or with --trusted-root FILE for the log and timestamps of your own instance',
      found: '--online',
    });
}

/**
 * makeVerifier joins a policy with the trust root. Throws `trust/no-root`, `trust/two-roots`, `trust/key-online`,
 * `sigstore/trusted-root`.
 */
export async function makeVerifier(host: Host, policy: TrustPolicy, sources: TrustSources): Promise<BundleVerifier> {
  const several = await severalSigners(policy, (one) =>
    // A key among identities needs no public trust root.
    makeVerifier(host, one, isKeyless(one.signer) ? sources : { trustedRoot: sources.trustedRoot }),
  );
  if (several !== undefined) return several;
  checkSources(sources, isKeyless(policy.signer) ? 'identity' : 'key');
  if (!isKeyless(policy.signer)) {
    const text = sources.trustedRoot === undefined ? undefined : await rootOf(host, sources);
    const root: Trust | undefined = text === undefined ? undefined : await readTrustedRoot(text, 'key');
    return await createVerifier(await keyTrust(await host.files.readText(policy.signer.key, 64 * 1024), root), policy);
  }
  const text = await rootOf(host, sources);
  if (text === undefined)
    throw new AppError('trust/no-root', 'usage', 'no trust root to verify with', {
      expected: '--trusted-root FILE, or --online for the public one',
    });
  return await createVerifier(await readTrustedRoot(text), policy);
}
