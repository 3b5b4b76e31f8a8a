import type { Digest, Pin, Plan, Platform } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import type { Build, Evidence, Run } from './schema.ts';
import { evidenceFile, readEvidence, writeEvidence, type Filed } from './store.ts';

/** IndexFacts is what evidence has to know of the index that a layout holds. */
export interface IndexFacts {
  /** Of the layout. */
  readonly directory: string;
  readonly digest: Digest;
  readonly platforms: readonly { readonly platform: Platform; readonly manifest: Digest }[];
}

const versionOf = (pin: Pin): string => (pin.kind === 'rpms' ? 'floating' : pin.version);

function pinEvidence(pin: Pin): Evidence['pins'][number] {
  return {
    name: pin.name,
    kind: pin.kind,
    version: versionOf(pin),
    evidence: pin.evidence.map((item) => ({ ...item })),
    absent: pin.absent.map((item) => ({ ...item })),
  };
}

/** Nothing was seen of the index yet; pins and inputs are the plan's. */
function newEvidence(index: IndexFacts, plan: Plan): Evidence {
  return {
    version: 2,
    variant: plan.variant,
    digest: index.digest,
    inputDigest: plan.inputDigest,
    lab: plan.lab,
    platforms: index.platforms.map(({ platform, manifest }) => ({ platform, manifest })),
    pins: plan.pins.map(pinEvidence),
    builds: [],
    runs: [],
    publications: [],
    attachments: [],
    sboms: [],
  };
}

/**
 * openEvidence returns the evidence of the index that a layout holds, begun anew when the file is about another
 * index: nothing that was seen of one image may speak for the next. It writes nothing. Throws `evidence/malformed`:
 * what cannot be read may have said that the gate was closed.
 */
export async function openEvidence(host: Host, index: IndexFacts, plan: Plan): Promise<Filed> {
  const old = await readEvidence(host, index.directory);
  if (old?.evidence.digest === index.digest) return old;
  return { file: evidenceFile(index.directory), evidence: newEvidence(index, plan) };
}

/** beginEvidence writes the evidence of an index that was just made, in place of a file that cannot be read, too. */
export async function beginEvidence(
  host: Host,
  index: IndexFacts,
  plan: Plan,
  seen: { readonly builds: readonly Build[]; readonly runs?: readonly Run[] | undefined },
): Promise<Filed> {
  const old = await readEvidence(host, index.directory).catch(() => undefined);
  const known = old?.evidence.digest === index.digest ? old.evidence : newEvidence(index, plan);
  const evidence = { ...known, builds: [...seen.builds], runs: [...(seen.runs ?? known.runs)] };
  return await writeEvidence(host, { file: evidenceFile(index.directory), evidence });
}
