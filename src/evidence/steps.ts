import type { Digest } from '../core/index.ts';
import type { Evidence } from './schema.ts';

/** merge adds what is new and replaces what has the same key, the rest stays as it was. */
function merge<T>(old: readonly T[], fresh: readonly T[], key: (item: T) => string): T[] {
  return [...new Map([...old, ...fresh].map((item) => [key(item), item])).values()];
}

/** Published is where an index lies, and which tags were moved to it. */
interface Published {
  readonly reference: string;
  readonly tags: readonly { readonly tag: string; readonly before?: Digest | undefined; readonly after: Digest }[];
}

/** withPublication: where it lies, and which tags name it. */
export function withPublication(evidence: Evidence, { reference, tags }: Published, now: Date): Evidence {
  const moves = tags.map(({ tag, before, after }) => ({ tag, after, before }));
  const fresh = { reference, at: now.toISOString(), tags: moves };
  return { ...evidence, publications: merge(evidence.publications, [fresh], (item) => item.reference) };
}

/** withAttachments: the bundles that sign and attest attached, or found there. */
export function withAttachments(evidence: Evidence, bundles: Evidence['attachments']): Evidence {
  const fresh = bundles.map(({ node, subject, predicateType, digest }) => ({ node, subject, predicateType, digest }));
  return { ...evidence, attachments: merge(evidence.attachments, fresh, (item) => item.digest) };
}

export function withSboms(evidence: Evidence, sboms: Evidence['sboms']): Evidence {
  return { ...evidence, sboms: merge(evidence.sboms, sboms, (item) => item.platform) };
}

/** What `verifyTree` reports, as far as evidence keeps it. */
interface Verified {
  readonly reference: string;
  readonly ok: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly digest: Digest;
    readonly proofs: readonly { readonly attestation: string }[];
    readonly missing: readonly string[];
  }[];
}

export function withVerification(evidence: Evidence, report: Verified, signer: string, now: Date): Evidence {
  const nodes = report.nodes.map(({ name, digest, proofs, missing }) => ({
    name,
    digest,
    proven: [...new Set(proofs.map(({ attestation }) => attestation))].sort(),
    missing: [...missing],
  }));
  const { reference, ok } = report;
  return { ...evidence, verification: { reference, at: now.toISOString(), ok, signer, nodes } };
}
