import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { maxYamlBytes, readYaml } from '../../config/index.ts';
import {
  createVerifier,
  isKeyless,
  keyTrust,
  maxTrustedRootBytes,
  policySchema,
  readTrustedRoot,
  type BundleVerifier,
  type Trust,
  type TrustPolicy,
} from '../../sigstore/index.ts';
import { besidePolicy, severalSigners } from './further-signers.ts';

/** readPolicy reads a policy file; every problem with its line. Throws `config/*`. */
export async function readPolicy(host: Host, file: string): Promise<TrustPolicy> {
  const { value } = readYaml(policySchema, await host.files.readText(file, maxYamlBytes), file);
  return besidePolicy(value, file);
}

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

/** makeVerifier joins a policy with whom to believe. Throws `trust/no-root`, `sigstore/trusted-root`. */
export async function makeVerifier(host: Host, policy: TrustPolicy, sources: TrustSources): Promise<BundleVerifier> {
  const several = await severalSigners(policy, (one) =>
    // A key among identities needs no public trust root.
    makeVerifier(host, one, isKeyless(one.signer) ? sources : { trustedRoot: sources.trustedRoot }),
  );
  if (several !== undefined) return several;
  if (!isKeyless(policy.signer)) {
    const text = sources.trustedRoot === undefined ? undefined : await rootOf(host, sources);
    const root: Trust | undefined = text === undefined ? undefined : await readTrustedRoot(text, 'key');
    return await createVerifier(await keyTrust(await host.files.readText(policy.signer.key, 64 * 1024), root), policy);
  }
  const text = await rootOf(host, sources);
  if (text === undefined)
    throw new AppError('trust/no-root', 'usage', 'nobody is believed without a trust root', {
      expected: '--trusted-root FILE, or --online for the public one',
    });
  return await createVerifier(await readTrustedRoot(text), policy);
}
