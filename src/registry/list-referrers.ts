import { hexOf, type Digest } from '../core/digest.ts';
import { mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { contentProblem } from './content-problem.ts';
import { fetchManifest } from './manifest.ts';
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
