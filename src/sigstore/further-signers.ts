import * as z from 'zod';
import { isDigest, type Digest } from '../core/index.ts';

const moment = z.iso.datetime({ offset: true });
/** When signatures of a signer count, by the time that the log or a timestamp authority vouches for; `until` is past it. */
const validity = { from: moment.optional(), until: moment.optional() };
export interface Validity {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

const name = /^(?!signer$)[a-z][a-z0-9-]{0,39}$/;
const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest');

/**
 * furtherSigners are a policy's members about more than one signer: who signed before, who has to approve, and what is
 * refused whoever signed it. `keyless` and `key` are how a policy names one signer.
 */
export function furtherSigners<A extends z.ZodRawShape, B extends z.ZodRawShape>(
  keyless: z.ZodObject<A>,
  key: z.ZodObject<B>,
) {
  const credential = z.union([keyless.extend(validity), key.extend(validity)]);
  return {
    /** When `signer` itself counts. */
    signerValid: z.strictObject(validity).optional(),
    /** Who counts as `signer`, each in its time: a key or an identity that was replaced. */
    previousSigners: z.array(credential).min(1).max(16).optional(),
    /** Who approves images with an image signature beside the signer's own: by name, each with one or more credentials. */
    approvers: z
      .record(z.string().regex(name, 'a name of a-z, 0-9 and -, other than signer'), z.array(credential).min(1).max(16))
      .refine((all) => Object.keys(all).length > 0, 'names no approver')
      .optional(),
    /** How many of the approvers have to have signed; all of them unless said. */
    approvals: z.number().int().min(1).optional(),
    deny: z
      .strictObject({
        /** Images that are refused, whoever signed them: an index, or an image in one. */
        digests: z.array(digest).min(1).max(10_000).optional(),
        /** Certificate subjects, whole, whose signatures never count. */
        identities: z.array(z.string().min(1)).min(1).max(1_000).optional(),
      })
      .optional(),
  };
}

/** approvalsProblem says why a threshold cannot be met; for the schema as a whole. */
export function approvalsProblem(policy: {
  readonly approvers?: Readonly<Record<string, unknown>> | undefined;
  readonly approvals?: number | undefined;
}): string | undefined {
  const named = Object.keys(policy.approvers ?? {}).length;
  if (policy.approvals === undefined || policy.approvals <= named) return undefined;
  return `${policy.approvals} approvals are asked for, and ${named} approvers are named`;
}
