import type { Command } from 'commander';
import type { Digest } from '../src/core/index.ts';
// Each from its own file: together with what the other commands of trust need they would start later.
import type { Pen } from '../src/flows/trust/attach.ts';
import { onlineRoot } from '../src/flows/trust/online-root.ts';
import { makePen } from '../src/flows/trust/pen.ts';
import type { TrustSources } from '../src/flows/trust/policy-file.ts';
import type { Signed } from '../src/flows/trust/sign-tree.ts';
import type { TreeReport } from '../src/flows/trust/verify-tree.ts';
import type { Registry } from '../src/registry/index.ts';
import { isKeyless, type TrustPolicy } from '../src/sigstore/index.ts';
import { flag, fromHere, stringOption, type Call } from './command.ts';
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
  const file = stringOption(call, 'evidence');
  return { root: call.home, digest, evidence: file === undefined ? undefined : fromHere(file) };
}

export function trustSources(call: Call): TrustSources {
  const file = stringOption(call, 'trustedRoot');
  return {
    trustedRoot: file === undefined ? undefined : fromHere(file),
    ...(flag(call, 'online') ? { online: () => onlineRoot(call.host) } : {}),
  };
}

/** signerName is whom a policy names, for what people read. */
export function signerName({ signer }: TrustPolicy): string {
  return isKeyless(signer) ? `${signer.identities.join(', ')} (${signer.issuer})` : `the key ${signer.key}`;
}

export async function penOf(call: Call, registry: Registry): Promise<Pen> {
  const names = { signingKey: 'key', signingConfig: 'signingConfig', fulcio: 'fulcio', rekor: 'rekor', tsa: 'tsa' };
  const files = ['signingKey', 'signingConfig'];
  const signing = Object.fromEntries(
    Object.entries(names).flatMap(([option, name]) => {
      const value = stringOption(call, option);
      return value === undefined ? [] : [[name, files.includes(option) ? fromHere(value) : value]];
    }),
  );
  return await makePen(call.host, registry, signing, trustSources(call), await policyOf(call));
}

export function tellSigned({ reference, bundles, legacy }: Signed): string {
  const lines = bundles.map(
    ({ node, predicateType, digest, how }) => `  ${how.padEnd(8)}  ${node.padEnd(11)}  ${predicateType}  ${digest}`,
  );
  const tags = legacy.map(({ node, tag, how }) => `  ${how.padEnd(8)}  ${node.padEnd(11)}  ${tag}`);
  return [reference, ...lines, ...tags].join('\n');
}

export function tellReport({ reference, ok, nodes }: TreeReport): string {
  const lines = nodes.flatMap(({ name, digest, proofs, missing, refused }) => [
    `${missing.length === 0 ? 'proven' : 'LACKS '}  ${name}  ${digest}`,
    ...proofs.map(({ attestation, identity, source }) => `    ${attestation}  by ${identity ?? 'the key'}  ${source}`),
    ...missing.map((attestation) => `    missing ${attestation}`),
    ...refused.map(({ code, detail, source }) => `    refused ${code}: ${detail}  ${source}`),
  ]);
  return [`${reference} is ${ok ? 'proven' : 'NOT proven'}`, ...lines].join('\n');
}
