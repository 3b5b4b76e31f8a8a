import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import {
  buildSite,
  createVerifier,
  identityToken,
  keylessSigner,
  keySigner,
  keyTrust,
  maxSigningConfigBytes,
  policySchema,
  publicServices,
  readSigningConfig,
  readTrustedRoot,
  type BundleVerifier,
  type Services,
  type Signer,
  type TrustPolicy,
} from '../../sigstore/index.ts';
import type { SigningContext } from './attach.ts';
import { withoutApprovals } from './further-signers.ts';
import { checkSources, makeVerifier, rootOf, type TrustSources } from './policy-file.ts';

/** Signing is how a user says who signs and where: nothing given means keyless at the public instance. */
export interface Signing {
  /** File with a private key, for networks without Fulcio. */
  readonly key?: string | undefined;
  readonly fulcio?: string | undefined;
  readonly rekor?: string | undefined;
  readonly tsa?: string | undefined;
  /** File with the signing config of an instance, instead of addresses. */
  readonly signingConfig?: string | undefined;
}

async function servicesOf(host: Host, { key, fulcio, rekor, tsa, signingConfig }: Signing): Promise<Services> {
  if (signingConfig !== undefined) {
    const given = [fulcio, rekor, tsa].find((address) => address !== undefined);
    if (given !== undefined)
      throw new AppError('trust/services', 'usage', 'a signing config names the services already', {
        expected: '--signing-config FILE alone, or addresses',
        found: given,
      });
    return { signingConfig: readSigningConfig(await host.files.readText(signingConfig, maxSigningConfigBytes)) };
  }
  const log = { rekor, tsa };
  if (key !== undefined && fulcio !== undefined)
    throw new AppError('trust/services', 'usage', 'a key needs no certificate', {
      expected: '--signing-key FILE or --fulcio URL, not both',
      found: fulcio,
    });
  if (key !== undefined) return log;
  if ((fulcio === undefined) !== (rekor === undefined))
    throw new AppError('trust/services', 'usage', 'an instance of your own needs both its Fulcio and its Rekor', {
      expected: '--fulcio URL and --rekor URL, or neither',
    });
  return fulcio === undefined ? { ...publicServices, ...log } : { ...log, fulcio };
}

async function signerOf(host: Host, signing: Signing): Promise<Signer> {
  const services = await servicesOf(host, signing);
  if (signing.key === undefined) return keylessSigner(host, services, () => identityToken(host));
  const pem = await host.files.readText(signing.key, 64 * 1024);
  return keySigner(pem, services, host.env['RUNNER_IMAGE_KEY_PASSPHRASE']);
}

/**
 * ownVerifier trusts exactly the signer itself, as its certificate describes it, and provenance of the builder that it
 * runs in.
 */
async function ownVerifier(host: Host, signer: Signer, sources: TrustSources): Promise<BundleVerifier> {
  const self = await signer.self();
  const builders = [buildSite(host.env, await signer.token()).builder];
  if ('publicKey' in self) {
    checkSources(sources, 'key');
    const root = sources.trustedRoot === undefined ? undefined : await rootOf(host, sources);
    const trust = await keyTrust(self.publicKey, root === undefined ? undefined : await readTrustedRoot(root, 'key'));
    return await createVerifier(trust, policySchema.parse({ version: 1, signer: { key: 'own' }, builders }));
  }
  const { issuer, name, extensions } = self.identity;
  const { repository, ref, trigger } = extensions;
  const signerHere = { issuer, identities: [name], repository, ref, trigger };
  const policy = policySchema.safeParse({ version: 1, signer: signerHere, builders });
  if (policy.success) return await makeVerifier(host, policy.data, sources);
  throw new AppError('trust/own-claims', 'usage', 'the signer’s own certificate does not say who ran the workflow', {
    expected: 'repository, ref and trigger in the certificate, as Fulcio writes them for GitHub Actions',
    found: policy.error.issues.map(({ path }) => path.join('.')).join(', '),
  });
}

/** makeSigningContext joins a registry with a signer and with the verifier that holds everything before it is attached. */
export async function makeSigningContext(
  host: Host,
  registry: Registry,
  signing: Signing,
  sources: TrustSources,
  policy?: TrustPolicy,
): Promise<SigningContext> {
  const signer = await signerOf(host, signing);
  const verifier =
    policy === undefined
      ? await ownVerifier(host, signer, sources)
      : await makeVerifier(host, withoutApprovals(policy), sources);
  return { host, registry, signer, verifier };
}
