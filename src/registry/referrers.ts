import { hexOf, type Digest } from '../core/digest.ts';
import { maxManifestBytes, mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { eachLimited } from '../core/limit.ts';
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
  readonly reason: 'gone' | 'other-subject' | 'no-subject' | 'wrong-bytes';
  readonly detail: string;
}

export interface Referrers {
  readonly via: Via;
  /** In the registry's order. */
  readonly referrers: readonly Referrer[];
  readonly rejected: readonly RejectedReferrer[];
}

const maxReferrers = 2_000;

/**
 * fallbackTag returns the tag that lists referrers where the API is missing (distribution spec, "Referrers Tag
 * Schema").
 */
export const fallbackTag = (subject: Digest): string => `sha256-${hexOf(subject)}`;

/** readFallback opens the fallback tag; undefined when there is none. */
export async function readFallback(
  wire: Transport,
  repo: Repository,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const ref = { registry: repo.registry, repository: repo.repository, tag: fallbackTag(subject) };
  try {
    const { node } = await fetchManifest(wire, ref);
    if (node.$case === 'index') return node.children;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  throw new AppError('registry/referrers', 'upstream', `the tag ${fallbackTag(subject)} holds no index of referrers`, {
    where: { file: formatRepository(repo) },
    expected: 'an image index',
    found: 'an image manifest',
  });
}

interface Page {
  readonly descriptors: readonly Descriptor[];
  readonly next: string | undefined;
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
      const value = parseJsonBody(await readBody(answer, maxManifestBytes, what), what);
      const list = value['manifests'] ?? [];
      if (!Array.isArray(list))
        throw new AppError(
          'registry/unexpected-answer',
          'upstream',
          `${what}: the answer is not a list of descriptors`,
        );
      return { descriptors: list.map((entry: unknown) => readDescriptor(entry, what)), next: nextPage(answer, repo) };
    },
  );
}

/** listReferrers returns the registry's own list, by its API or by the fallback tag. */
export async function listReferrers(wire: Transport, repo: Repository, subject: Digest): Promise<Listing> {
  const found: Descriptor[] = [];
  let url: string | undefined = wire.url(repo, `referrers/${subject}`);
  // A list that was not read to its end must not pass for the whole one.
  const further = new Pages(`the referrers of ${formatRepository(repo)}@${subject}`, url);
  while (url !== undefined) {
    const page: Page | 'unsupported' | 'unknown-subject' = await apiPage(wire, repo, url);
    if (page === 'unsupported')
      return { via: 'fallback', descriptors: unique((await readFallback(wire, repo, subject)) ?? []) };
    // Quay answers so for a subject it does not know (yet). A tool may still have left the tag.
    if (page === 'unknown-subject')
      return { via: 'api', descriptors: unique((await readFallback(wire, repo, subject)) ?? []) };
    found.push(...page.descriptors);
    if (found.length > maxReferrers)
      throw new AppError(
        'registry/referrers',
        'upstream',
        `${formatRepository(repo)}@${subject} has too many referrers`,
        {
          expected: `at most ${maxReferrers}`,
        },
      );
    url = further.next(page.next, page.descriptors.length);
  }
  return { via: 'api', descriptors: unique(found) };
}

async function open(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  listed: Descriptor,
): Promise<Referrer | RejectedReferrer> {
  const { registry, repository } = repo;
  let fetched: Fetched;
  try {
    fetched = await fetchManifest(wire, { registry, repository, digest: listed.digest });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (isNotFound(error))
      return { descriptor: listed, reason: 'gone', detail: 'the list names it, the registry lacks it' };
    const wrong = ['registry/digest-mismatch', 'registry/malformed-manifest', 'registry/too-large'].includes(
      error.code,
    );
    // "Unknown" must never pass for "is not there".
    if (!wrong) throw error;
    return { descriptor: listed, reason: 'wrong-bytes', detail: `${error.message}: ${error.facts.found ?? ''}` };
  }
  const { node, descriptor } = fetched;
  if (node.subject === undefined) return { descriptor: listed, reason: 'no-subject', detail: 'it names no subject' };
  if (node.subject.digest !== subject)
    return { descriptor: listed, reason: 'other-subject', detail: `its subject is ${node.subject.digest}` };
  const { artifactType, annotations } = node;
  return { descriptor: { ...descriptor, artifactType, annotations: { ...annotations } }, fetched };
}

/**
 * readReferrers lists what refers to a subject and opens every entry, since lists are not to be
 * trusted: cosign writes wrong artifact types into the fallback index, and a subject may lie.
 * `artifactType` filters by what the manifests themselves say.
 */
export async function readReferrers(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  artifactType?: string,
): Promise<Referrers> {
  const { via, descriptors } = await listReferrers(wire, repo, subject);
  const opened = new Map<Digest, Referrer | RejectedReferrer>();
  await eachLimited(descriptors, 8, async (listed) => {
    opened.set(listed.digest, await open(wire, repo, subject, listed));
  });
  const all = descriptors.flatMap(({ digest }) => opened.get(digest) ?? []);
  const referrers = all.filter((entry): entry is Referrer => 'fetched' in entry);
  const rejected = all.filter((entry): entry is RejectedReferrer => 'reason' in entry);
  const wanted = referrers.filter(
    ({ descriptor }) => artifactType === undefined || descriptor.artifactType === artifactType,
  );
  return { via, referrers: wanted, rejected };
}
