import * as z from 'zod';
import { hexOf, type Digest } from '../core/index.ts';
import { namesWorkflow } from '../core/workflow-identity.ts';
import { localBuilder } from './build-site.ts';
import { sourceProblem } from './expected-source.ts';
import { isKeyless, type TrustPolicy } from './policy.ts';
import type { Attestation } from './predicate-types.ts';
import { provenanceSchema } from './provenance-schema.ts';
import { refuse, type Refused } from './refusal.ts';
import type { Statement } from './statement.ts';
import { summarySchema } from './verification-summary.ts';

/** The members of a CycloneDX document that say what it describes. */
const bom = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  metadata: z
    .object({
      component: z
        .object({ hashes: z.array(z.object({ alg: z.string(), content: z.string() })).optional() })
        .optional(),
    })
    .optional(),
});

/**
 * builderOf is the builder whose provenance a signer may vouch for unless the policy names others: a workflow for
 * itself, a person or a key for what was built by hand.
 */
function builderOf({ signer }: TrustPolicy, identity: string | undefined): string {
  const isWorkflow = identity !== undefined && isKeyless(signer) && namesWorkflow(signer.issuer, [identity]);
  return isWorkflow ? identity : localBuilder;
}

/**
 * predicateProblem holds a predicate against its own format and the policy: a provenance of another
 * builder and the SBOM of another platform are refused although they are signed well. `signer` is the certificate's
 * identity, undefined for a key.
 */
export function predicateProblem(
  attestation: Attestation,
  { predicate }: Statement,
  subject: Digest,
  policy: TrustPolicy,
  signer: string | undefined,
): Refused | undefined {
  switch (attestation) {
    case 'signature':
      return undefined;
    case 'provenance': {
      const read = provenanceSchema.safeParse(predicate);
      if (!read.success)
        return refuse('malformed-predicate', `no SLSA v1 provenance: ${read.error.issues[0]?.path.join('.') ?? ''}`);
      const { runDetails, buildDefinition } = read.data;
      const builders = policy.builders ?? [builderOf(policy, signer)];
      if (!builders.includes(runDetails.builder.id))
        return refuse('other-builder', `${runDetails.builder.id} built it, not ${builders.join(' or ')}`);
      if (policy.buildTypes?.includes(buildDefinition.buildType) === false)
        return refuse('other-build-type', buildDefinition.buildType);
      return sourceProblem(read.data, policy.source);
    }
    case 'summary':
      return summarySchema.safeParse(predicate).success
        ? undefined
        : refuse('malformed-predicate', 'no SLSA v1 verification summary');
    case 'sbom': {
      const read = bom.safeParse(predicate);
      if (!read.success) return refuse('malformed-predicate', 'no CycloneDX document');
      const described = read.data.metadata?.component?.hashes?.find(({ alg }) => alg === 'SHA-256')?.content;
      if (described !== undefined && described !== hexOf(subject))
        return refuse('other-image', `the SBOM describes sha256:${described}`);
      return undefined;
    }
  }
}
