import { hexOf, type Digest } from '../core/digest.ts';
import { maxManifestBytes, mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { mapLimited } from '../core/limit.ts';
import { contentProblem, type ContentProblem } from './content-problem.ts';
import { fetchManifest, type Fetched } from './manifest.ts';
import { readDescriptor, unique } from './node.ts';
import { Pages } from './pages.ts';
import { formatRepository, type Repository } from './repository.ts';
import { pull } from './scope.ts';
import { nextPage, parseJsonBody } from './tags.ts';
import { isNotFound, type Transport } from './transport.ts';

/** Where the list came from: the registry's referrers API, or the fallback tag `sha256-<hex>`. */
export type Via = 'api' | 'fallback';

/** Listing is what the registry claims; nothing in it has been opened. */
export interface Listing {
  readonly via: Via;
  readonly descriptors: readonly Descriptor[];
  /** Entries that are not read: they are no descriptors, or more than are read of one subject. */
  readonly unread?: number | undefined;
  /** Why the list itself cannot be read; then it counts as empty. */
  readonly problem?: string | undefined;
}

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
/** Entries of a list that are kept. */
const maxListed = 100_000;
/** Bytes of one page: it repeats the annotations of each manifest, and not every registry cuts its pages at 4 MiB. */
const maxPageBytes = 16 * 1024 * 1024;
/** Bytes of all pages of one list. */
const maxListBytes = 64 * 1024 * 1024;

/**
 * fallbackTag returns the tag that lists referrers where the API is missing (distribution spec, "Referrers Tag
 * Schema").
 */
export const fallbackTag = (subject: Digest): string => `sha256-${hexOf(subject)}`;

/**
 * readFallback opens the fallback tag; undefined when there is none. Any account that may push can put something else
 * under that tag: then the list is empty and says why.
 */
export async function readFallback(
  wire: Transport,
  repo: Repository,
  subject: Digest,
): Promise<Omit<Listing, 'via'> | undefined> {
  const tag = fallbackTag(subject);
  try {
    const { node } = await fetchManifest(wire, { registry: repo.registry, repository: repo.repository, tag });
    if (node.$case === 'index') return { descriptors: unique(node.children) };
    return { descriptors: [], problem: `the tag ${tag} holds an image manifest, not an index` };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    const problem = contentProblem(error);
    // Bytes that are not those of the registry's own header were changed on their way.
    if (problem === undefined || (error as AppError).code === 'registry/digest-mismatch') throw error;
    return { descriptors: [], problem: `the tag ${tag}: ${problem.detail}` };
  }
}

interface Page {
  readonly descriptors: readonly Descriptor[];
  readonly unread: number;
  readonly bytes: number;
  readonly next: string | undefined;
}

/** entriesOf leaves out what is no descriptor: one odd entry must not hide the others. */
function entriesOf(list: readonly unknown[], what: string): Descriptor[] {
  return list.flatMap((entry) => {
    try {
      // What is opened has annotations of its own.
      return { ...readDescriptor(entry, what), annotations: undefined };
    } catch (error) {
      if (contentProblem(error) === undefined) throw error;
      return [];
    }
  });
}

/** apiPage reads one page; undefined where the API does not answer, `unknown-subject` for Quay's 400. */
async function apiPage(
  wire: Transport,
  repo: Repository,
  url: string,
): Promise<Page | 'unsupported' | 'unknown-subject'> {
  const what = `the referrers in ${formatRepository(repo)}`;
  return wire.send(
    {
      repo,
      method: 'GET',
      url,
      headers: { accept: mediaTypes.index },
      scopes: [pull(wire.endpoint(repo).name)],
      expect: [200, 400, 404, 405, 501],
      doing: `list ${what}`,
    },
    async (answer) => {
      if (answer.status !== 200) {
        await discard(answer.body);
        return answer.status === 400 ? 'unknown-subject' : 'unsupported';
      }
      const body = await readBody(answer, maxPageBytes, what);
      const value = parseJsonBody(body, what);
      const list = value['manifests'] ?? [];
      if (!Array.isArray(list))
        throw new AppError(
          'registry/unexpected-answer',
          'upstream',
          `${what}: the answer is not a list of descriptors`,
        );
      const descriptors = entriesOf(list, what);
      const unread = list.length - descriptors.length;
      return { descriptors, unread, bytes: body.length, next: nextPage(answer, repo) };
    },
  );
}

async function fromFallback(wire: Transport, repo: Repository, subject: Digest, via: Via): Promise<Listing> {
  return { via, ...((await readFallback(wire, repo, subject)) ?? { descriptors: [] }) };
}

const tooLong = (bytes: number): string => `the list of referrers goes on after ${bytes} bytes`;

/** What is attached makes the list long: that is no failure of the registry. */
async function unlessTooLarge<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof AppError && error.code === 'registry/too-large') return undefined;
    throw error;
  }
}

/** listReferrers returns the registry's own list, by its API or by the fallback tag. */
export async function listReferrers(wire: Transport, repo: Repository, subject: Digest): Promise<Listing> {
  const found: Descriptor[] = [];
  let [unread, bytes] = [0, 0];
  let url: string | undefined = wire.url(repo, `referrers/${subject}`);
  // A list that was not read to its end must not pass for the whole one.
  const further = new Pages(`the referrers of ${formatRepository(repo)}@${subject}`, url);
  while (url !== undefined) {
    const page: Page | 'unsupported' | 'unknown-subject' | undefined = await unlessTooLarge(apiPage(wire, repo, url));
    if (page === undefined) return { via: 'api', descriptors: unique(found), unread, problem: tooLong(maxPageBytes) };
    if (page === 'unsupported') return await fromFallback(wire, repo, subject, 'fallback');
    // Quay answers so for a subject it does not know (yet). A tool may still have left the tag.
    if (page === 'unknown-subject') return await fromFallback(wire, repo, subject, 'api');
    const taken = page.descriptors.slice(0, maxListed - found.length);
    found.push(...taken);
    unread += page.unread + page.descriptors.length - taken.length;
    bytes += page.bytes;
    if (page.next !== undefined && (found.length >= maxListed || bytes > maxListBytes))
      return { via: 'api', descriptors: unique(found), unread, problem: tooLong(bytes) };
    url = further.next(page.next, page.descriptors.length + page.unread);
  }
  return { via: 'api', descriptors: unique(found), unread };
}

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
