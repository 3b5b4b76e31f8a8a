import { formatImageRef, type Digest } from '../../core/index.ts';
import type { Repository } from '../../registry/index.ts';

/** Whom the consumer must believe: a workflow's identity, or a public key. */
export type ConsumerTrust =
  | { readonly $case: 'identity'; readonly identity: string; readonly issuer: string }
  | { readonly $case: 'key'; readonly file: string };

export interface ConsumerImage {
  readonly repo: Repository;
  readonly index: Digest;
  readonly images: readonly Digest[];
}

/** In single quotes, so that a shell takes it as it stands. */
const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * consumerCommands are the command lines by which somebody with plain cosign 3 proves an image: cosign looks at one
 * digest at a time, so each node has its own. `extra` are further arguments, e.g. a trusted root.
 */
export function consumerCommands(
  { repo, index, images }: ConsumerImage,
  trust: ConsumerTrust,
  extra: readonly string[] = [],
): string[][] {
  const who =
    trust.$case === 'key'
      ? ['--key', trust.file]
      : ['--certificate-identity', trust.identity, '--certificate-oidc-issuer', trust.issuer];
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
 * signerHere is the identity that signing in this CI job gets, where the CI tells: GitHub puts the workflow of the
 * job into the certificate. Inside a reusable workflow only the token names it; then the identity is said to `publish`.
 */
export function signerHere(env: Readonly<Record<string, string | undefined>>): ConsumerTrust | undefined {
  const workflow = env['GITHUB_WORKFLOW_REF'];
  if (env['GITHUB_ACTIONS'] !== 'true' || workflow === undefined) return undefined;
  const server = env['GITHUB_SERVER_URL'] ?? 'https://github.com';
  return {
    $case: 'identity',
    identity: `${server}/${workflow}`,
    issuer: 'https://token.actions.githubusercontent.com',
  };
}
