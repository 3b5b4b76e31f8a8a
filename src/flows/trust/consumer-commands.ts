import { formatImageRef, type Digest } from '../../core/index.ts';
import type { Repository } from '../../registry/index.ts';
import { isKeyless, type TrustPolicy } from '../../sigstore/policy.ts';

/** Whom the consumer trusts: a workflow's identity with who ran it, or a public key. */
export type ConsumerTrust =
  | {
      readonly $case: 'identity';
      readonly identity: string;
      readonly issuer: string;
      /** `https://github.com/o/r`. */
      readonly repository: string;
      readonly ref: string;
      readonly trigger: string;
    }
  | { readonly $case: 'key'; readonly file: string };

/** cosign compares GitHub's older extensions, which have the repository without its server. */
function identityArgs({ identity, issuer, repository, ref, trigger }: ConsumerTrust & { $case: 'identity' }): string[] {
  return [
    ...['--certificate-identity', identity, '--certificate-oidc-issuer', issuer],
    ...['--certificate-github-workflow-repository', repository.replace(/^https:\/\/[^/]+\//, '')],
    ...['--certificate-github-workflow-ref', ref, '--certificate-github-workflow-trigger', trigger],
  ];
}

export interface ConsumerImage {
  readonly repo: Repository;
  readonly index: Digest;
  readonly images: readonly Digest[];
}

/** In single quotes, so that a shell takes it as it stands. */
const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * consumerCommands are the command lines by which a consumer with plain cosign 3 proves an image: cosign looks at one
 * digest at a time, so each node has its own. `extra` are further arguments, e.g. a trusted root.
 */
export function consumerCommands(
  { repo, index, images }: ConsumerImage,
  trust: ConsumerTrust,
  extra: readonly string[] = [],
): string[][] {
  const who = trust.$case === 'key' ? ['--key', trust.file] : identityArgs(trust);
  const at = (digest: Digest): string => formatImageRef({ ...repo, digest });
  const all = [index, ...images];
  const attestation = (type: string, digest: Digest) => [
    'cosign',
    'verify-attestation',
    ...extra,
    ...who,
    '--type',
    type,
    at(digest),
  ];
  return [
    ...all.map((digest) => ['cosign', 'verify', ...extra, ...who, at(digest)]),
    ...all.map((digest) => attestation('slsaprovenance1', digest)),
    ...images.map((digest) => attestation('cyclonedx', digest)),
  ];
}

export const commandLine = (args: readonly string[]): string => args.map(quote).join(' ');

/**
 * consumerTrustOf returns what cosign is to demand for a policy. cosign takes one value of each: the trigger is `event`
 * where the policy allows it, since that is what this run's certificate says. Undefined where the policy states too little.
 */
export function consumerTrustOf({ signer }: TrustPolicy, event?: string): ConsumerTrust | undefined {
  if (!isKeyless(signer)) return { $case: 'key', file: signer.key };
  const { issuer, identities, repository, ref = [], trigger = [] } = signer;
  const [identity, oneRef] = [identities[0], ref[0]];
  const oneTrigger = trigger.find((name) => name === event) ?? trigger[0];
  if (identity === undefined || repository === undefined || oneRef === undefined || oneTrigger === undefined)
    return undefined;
  return { $case: 'identity', identity, issuer, repository, ref: oneRef, trigger: oneTrigger };
}
