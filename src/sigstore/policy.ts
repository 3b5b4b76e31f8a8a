import * as z from 'zod';
import { namesWorkflow } from '../core/workflow-identity.ts';
import { expectedSource } from './expected-source.ts';
import { furtherSigners } from './further-signers.ts';
import { attestations } from './predicate-types.ts';

const whole = z
  .string()
  .min(1)
  .refine((text) => !/[*\s]/.test(text), 'patterns are not accepted: give the whole value');

/** One value, or a list of which any will do. */
const anyOf = z.union([whole.transform((value) => [value]), z.array(whole).min(1)]);

const keyless = z.strictObject({
  /** `https://token.actions.githubusercontent.com` for GitHub Actions. */
  issuer: z.url(),
  /** The certificate's subject, whole: `https://github.com/o/r/.github/workflows/f.yml@refs/heads/main`. */
  identities: z.array(whole).min(1),
  /** `https://github.com/o/r`. */
  repository: z.url().optional(),
  /** `refs/heads/main`, `refs/tags/v1`. */
  ref: anyOf.optional(),
  /** The workflow that was started: `https://github.com/o/r/.github/workflows/f.yml@refs/heads/main`. */
  workflow: whole.optional(),
  /** `github-hosted` or `self-hosted`. */
  runnerEnvironment: whole.optional(),
  /** 40 hex digits. */
  commit: whole.optional(),
  /** `push`, `workflow_dispatch`. */
  trigger: anyOf.optional(),
});

const withKey = z.strictObject({
  /** File with the public key as PEM. */
  key: z.string().min(1),
});

const file = z.strictObject({
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
export type TrustPolicy = Readonly<z.infer<typeof file>>;
export type KeylessSigner = Readonly<z.infer<typeof keyless>>;

/** isKeyless returns whether the policy names identities rather than a key. */
export const isKeyless = (signer: TrustPolicy['signer']): signer is KeylessSigner => 'issuer' in signer;

/** What of a workflow's certificate depends on who called it. */
const ofCaller = ['repository', 'ref', 'trigger'] as const;

/** example returns a likely value, taken from the identity: what it names is its own repository and ref. */
function example(name: (typeof ofCaller)[number], [identity = '']: readonly string[]): string {
  const [, repository, ref] = /^(https:\/\/[^/]+\/[^/]+\/[^/]+)\/[^@]*@(.+)$/.exec(identity) ?? [];
  const found = { repository, ref, trigger: 'push' }[name];
  return found ?? { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' }[name];
}

/** Every signer that a policy names, with its place. */
function signersOf({ signer, previousSigners = [], approvers = {} }: TrustPolicy) {
  const placed = (at: readonly (string | number)[], one: TrustPolicy['signer']) => ({ at, one });
  return [
    placed(['signer'], signer),
    ...previousSigners.map((one, index) => placed(['previousSigners', index], one)),
    ...Object.entries(approvers).flatMap(([name, all]) =>
      all.map((one, index) => placed(['approvers', name, index], one)),
    ),
  ];
}

/** statesCaller refuses a policy that names a workflow and not who may run it. */
const statesCaller =
  (needed: readonly (typeof ofCaller)[number][]) =>
  (policy: TrustPolicy, context: z.RefinementCtx): void => {
    for (const { at, one } of signersOf(policy)) {
      if (!isKeyless(one) || !namesWorkflow(one.issuer, one.identities)) continue;
      for (const name of needed.filter((claim) => one[claim] === undefined))
        context.addIssue({
          code: 'custom',
          path: [...at, name],
          message: `absent: any repository can call a reusable workflow and get this identity; add ${name}, e.g. ${example(name, one.identities)}`,
        });
    }
  };

/** The policy file that `verify --policy` and `promote --policy` read. A workflow's repository, ref and trigger are stated. */
export const policySchema = file.superRefine(statesCaller(ofCaller));

/** What a bump demands of an upstream's signer: which refs and triggers it uses is not ours to know. */
export const upstreamPolicySchema = file.superRefine(statesCaller(['repository']));

/** Names of the extensions that a policy's signer may demand. */
export const demanded = ['repository', 'ref', 'workflow', 'runnerEnvironment', 'commit', 'trigger'] as const;
