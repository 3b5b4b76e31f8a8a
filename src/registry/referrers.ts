import type { Digest } from '../core/digest.ts';
import { mapLimited } from '../core/limit.ts';
import { maxManifestBytes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { contentProblem, type ContentProblem } from './content-problem.ts';
import { listReferrers, type Listing } from './list-referrers.ts';
import { fetchManifest, type Fetched } from './manifest.ts';
import type { Repository } from './repository.ts';
import type { Transport } from './transport.ts';

/** A referrer that was opened: its digest is right, and its own subject is the one asked for. */
export interface Referrer {
  /** With the artifactType and annotations of the manifest itself, whatever the list said. */
  readonly descriptor: Descriptor;
  readonly fetched: Fetched;
}

/** A list entry that cannot be used, and why. */
export interface RejectedReferrer {
  readonly descriptor: Descriptor;
  readonly reason: ContentProblem['reason'] | 'other-subject' | 'no-subject' | 'too-deep';
  readonly detail: string;
}

export interface Referrers extends Omit<Listing, 'descriptors'> {
  /** In the registry's order. */
  readonly referrers: readonly Referrer[];
  readonly rejected: readonly RejectedReferrer[];
}

/** Visited is what became of a list of referrers. */
export interface Visited<T> extends Omit<Listing, 'descriptors'> {
  readonly visited: readonly T[];
}

/** Referrers of one subject that are opened. */
export const maxReferrers = 2_000;
async function open(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  listed: Descriptor,
  limit: number,
): Promise<Referrer | RejectedReferrer> {
  const { registry, repository } = repo;
  let fetched: Fetched;
  try {
    fetched = await fetchManifest(wire, { registry, repository, digest: listed.digest }, limit);
  } catch (error) {
    const problem = contentProblem(error);
    // "Unknown" must never pass for "is not there".
    if (problem === undefined) throw error;
    return { descriptor: listed, ...problem };
  }
  const { node, descriptor } = fetched;
  if (node.subject === undefined) return { descriptor: listed, reason: 'no-subject', detail: 'it names no subject' };
  if (node.subject.digest !== subject)
    return { descriptor: listed, reason: 'other-subject', detail: `its subject is ${node.subject.digest}` };
  const { artifactType, annotations } = node;
  return { descriptor: { ...descriptor, artifactType, annotations: { ...annotations } }, fetched };
}

/**
 * bothEnds returns the first and the last of a list, `most` in all. Registries and the fallback tag add at one end: what
 * others attach between two ends pushes out neither what was attached first nor what is attached last.
 */
export function bothEnds<T>(list: readonly T[], most: number): readonly T[] {
  const half = Math.floor(most / 2);
  return list.length <= most ? list : [...list.slice(0, half), ...list.slice(list.length - half)];
}

/**
 * visitReferrers lists what refers to a subject and opens every entry, since lists are not to be trusted: cosign writes
 * wrong artifact types into the fallback index, and a subject may lie. Returns what `visit` returns, in the registry's
 * order; nothing else of a manifest is kept. A manifest of more than `limit` bytes is rejected.
 */
export async function visitReferrers<T>(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  visit: (opened: Referrer | RejectedReferrer) => T,
  limit = maxManifestBytes,
): Promise<Visited<T>> {
  const { descriptors, unread = 0, ...listing } = await listReferrers(wire, repo, subject);
  const chosen = bothEnds(descriptors, maxReferrers);
  const visited = await mapLimited(chosen, 8, async (listed) => visit(await open(wire, repo, subject, listed, limit)));
  const left = unread + descriptors.length - chosen.length;
  return { ...listing, visited, unread: left === 0 ? undefined : left };
}

/** readReferrers returns all that refers to a subject; `artifactType` filters by what the manifests themselves say. */
export async function readReferrers(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  artifactType?: string,
): Promise<Referrers> {
  const { visited, ...listing } = await visitReferrers(wire, repo, subject, (opened) => opened);
  const referrers = visited.filter((entry): entry is Referrer => 'fetched' in entry);
  const rejected = visited.filter((entry): entry is RejectedReferrer => 'reason' in entry);
  const wanted = referrers.filter(
    ({ descriptor }) => artifactType === undefined || descriptor.artifactType === artifactType,
  );
  return { ...listing, referrers: wanted, rejected };
}
