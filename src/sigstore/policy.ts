import * as z from 'zod';
import { expectedSource } from './expected-source.ts';
import { furtherSigners } from './further-signers.ts';
import { attestations } from './predicate-types.ts';

const whole = z
  .string()
  .min(1)
  .refine((text) => !/[*\s]/.test(text), 'patterns are not accepted: give the whole value');

const keyless = z.strictObject({
  /** `https://token.actions.githubusercontent.com` for GitHub Actions. */
  issuer: z.url(),
  /** The certificate's subject, whole: `https://github.com/o/r/.github/workflows/f.yml@refs/heads/main`. */
  identities: z.array(whole).min(1),
  /** `https://github.com/o/r`. */
  repository: z.url().optional(),
  /** `refs/heads/main`, `refs/tags/v1`. */
  ref: whole.optional(),
  /** The workflow that was started: `https://github.com/o/r/.github/workflows/f.yml@refs/heads/main`. */
  workflow: whole.optional(),
  /** `github-hosted` or `self-hosted`. */
  runnerEnvironment: whole.optional(),
  /** 40 hex digits. */
  commit: whole.optional(),
  /** `push`, `workflow_dispatch`. */
  trigger: whole.optional(),
});

const withKey = z.strictObject({
  /** File with the public key as PEM. */
  key: z.string().min(1),
});

/** The policy file that `verify --policy` and `promote --policy` read. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  signer: z.union([keyless, withKey]),
  /** What every node needs; an SBOM is asked of images only. All three unless said otherwise. */
  require: z
    .array(z.enum(attestations))
    .min(1)
    .default([...attestations]),
  /** `root`: only the index itself, as most upstreams sign. */
  nodes: z.enum(['every', 'root']).default('every'),
  /** Also read cosign 2's tags `.sig` and `.att`. */
  legacy: z.boolean().default(false),
  /** `tsa`: an RFC 3161 timestamp is demanded beside the log's own time. */
  timestamps: z.enum(['log', 'tsa']).default('log'),
  ...furtherSigners(keyless, withKey),
  ...expectedSource,
  /** Builder ids that provenance may name, whole. */
  builders: z.array(whole).min(1).optional(),
  /** Build types that provenance may name, whole. */
  buildTypes: z.array(whole).min(1).optional(),
});
export type TrustPolicy = Readonly<z.infer<typeof policySchema>>;
export type KeylessSigner = Readonly<z.infer<typeof keyless>>;

/** isKeyless returns whether the policy names identities rather than a key. */
export const isKeyless = (signer: TrustPolicy['signer']): signer is KeylessSigner => 'issuer' in signer;

/** Names of the extensions that a policy's signer may demand. */
export const demanded = ['repository', 'ref', 'workflow', 'runnerEnvironment', 'commit', 'trigger'] as const;
