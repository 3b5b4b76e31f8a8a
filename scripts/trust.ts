import type { Command } from 'commander';
import type { Digest } from '../src/core/index.ts';
import type { SigningContext } from '../src/flows/trust/attach.ts';
import { onlineRoot } from '../src/flows/trust/online-root.ts';
import { makeSigningContext } from '../src/flows/trust/signing-context.ts';
import type { TrustSources } from '../src/flows/trust/policy-file.ts';
import type { Signed } from '../src/flows/trust/sign-tree.ts';
import { maxRefused, type TreeReport } from '../src/flows/trust/verify-tree.ts';
import type { Registry } from '../src/registry/index.ts';
import { isKeyless, type TrustPolicy } from '../src/sigstore/index.ts';
import { flag, fromHere, pathOption, stringOption, type Call } from './command.ts';
import { policyOf, signerOptions } from './trust-policy.ts';

/** trustOptions adds whom to trust: the signer, what every node needs, and the trust root. */
export function trustOptions(command: Command): void {
  signerOptions(command);
  command
    .option('--builder <list>', 'builder ids that provenance may name (default: the signing workflow)')
    .option('--key <file>', 'public key, for images signed without Fulcio')
    .option('--require <list>', 'signature, provenance, sbom; all three otherwise')
    .option('--nodes <which>', 'every, or root: only the index itself, as most upstreams sign')
    .option('--with-legacy', 'also read cosign 2’s tags')
    .option('--trusted-root <file>', 'trusted_root.json; then nothing but the registry is asked')
    .option('--online', 'fetch the public trust root by TUF');
}

/** signingOptions adds who signs and where. */
export function signingOptions(command: Command): void {
  command
    .option('--signing-key <file>', 'private key (ECDSA P-256, PEM), for networks without Fulcio')
    .option('--fulcio <url>', 'a Fulcio of your own; the public one otherwise')
    .option('--rekor <url>', 'a Rekor (v1) of your own')
    .option('--tsa <url>', 'an RFC 3161 timestamp authority of your own')
    .option('--signing-config <file>', 'signing_config.json of an instance, instead of addresses; may name a Rekor v2')
    .option('--legacy', 'also write cosign 2’s tags .sig and .att');
}

export function evidenceOption(command: Command): void {
  command.option('--evidence <file>', 'evidence of this digest; otherwise dist/<variant>/evidence.json is looked for');
}

/** evidencePlace is where the evidence of a digest is looked for. */
export function evidencePlace(call: Call, digest: Digest) {
  return { root: call.home, digest, evidence: pathOption(call, 'evidence') };
}

export function trustSources(call: Call): TrustSources {
  const online = flag(call, 'online') ? () => onlineRoot(call.host) : undefined;
  return { trustedRoot: pathOption(call, 'trustedRoot'), online };
}

/** signerName is whom a policy names, for what people read. */
export function signerName({ signer }: TrustPolicy): string {
  return isKeyless(signer) ? `${signer.identities.join(', ')} (${signer.issuer})` : `the key ${signer.key}`;
}

export async function signingContextOf(call: Call, registry: Registry): Promise<SigningContext> {
  const names = { signingKey: 'key', signingConfig: 'signingConfig', fulcio: 'fulcio', rekor: 'rekor', tsa: 'tsa' };
  const files = ['signingKey', 'signingConfig'];
  const signing = Object.fromEntries(
    Object.entries(names).flatMap(([option, name]) => {
      const value = stringOption(call, option);
      return value === undefined ? [] : [[name, files.includes(option) ? fromHere(value) : value]];
    }),
  );
  return await makeSigningContext(call.host, registry, signing, trustSources(call), await policyOf(call));
}

export function signedText({ reference, bundles, legacy }: Signed): readonly string[] {
  const lines = bundles.map(
    ({ node, predicateType, digest, how }) => `  ${how.padEnd(8)}  ${node.padEnd(11)}  ${predicateType}  ${digest}`,
  );
  const tags = legacy.map(({ node, tag, how }) => `  ${how.padEnd(8)}  ${node.padEnd(11)}  ${tag}`);
  return [reference, ...lines, ...tags];
}

export function reportText({ reference, ok, nodes }: TreeReport): readonly string[] {
  const lines = nodes.flatMap(({ name, digest, proofs, missing, refused }) => [
    `${missing.length === 0 ? 'proven' : 'LACKS '}  ${name}  ${digest}`,
    ...proofs.map(({ attestation, identity, signer, source }) => {
      const role = signer === undefined || signer === 'signer' ? '' : ` (${signer})`;
      return `    ${attestation}  by ${identity ?? 'the key'}${role}  ${source}`;
    }),
    ...missing.map((attestation) => `    missing ${attestation}`),
    ...refused.slice(0, maxRefused).map(({ code, detail, source }) => `    refused ${code}: ${detail}  ${source}`),
    ...(refused.length > maxRefused ? [`    and ${refused.length - maxRefused} more refused`] : []),
  ]);
  return [`${reference} is ${ok ? 'proven' : 'NOT proven'}`, ...lines];
}
