import { formatImageRef } from '../core/image-ref.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { isRecord } from './json.ts';
import { Pages } from './pages.ts';
import { formatRepository, type Repository } from './repository.ts';
import { pull } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

/** More tags than this are refused: no range is meant to compare a hundred thousand versions. */
export const maxTags = 100_000;
const pageBytes = 16 * 1024 * 1024;

/** Page is one answer to be remembered between runs, with the server's own name for it. */
export interface Page {
  readonly etag: string;
  readonly text: string;
  /** Address of the page after it. */
  readonly next?: string | undefined;
}

/** PageCache is kept by the caller, by API address; what it returns is used only when the server says 304. */
export interface PageCache {
  get(url: string): Promise<Page | undefined>;
  set(url: string, page: Page): Promise<void>;
}

/** nextPage reads `Link: <…>; rel="next"` (RFC 8288); another host is never followed. */
export function nextPage(answer: Answer, repo: Repository): string | undefined {
  const match = /<([^<>]+)>\s*;[^,]*\brel\s*=\s*"?next"?/i.exec(answer.headers.get('link') ?? '');
  const link = match?.[1];
  if (link === undefined) return undefined;
  const next = URL.canParse(link, answer.url) ? new URL(link, answer.url) : undefined;
  if (next?.host === new URL(answer.url).host) {
    next.protocol = new URL(answer.url).protocol;
    return next.href;
  }
  throw new AppError(
    'registry/unexpected-answer',
    'upstream',
    `${formatRepository(repo)} links to another host for the next page`,
    {
      found: link.slice(0, 120),
    },
  );
}

/** parseJsonBody returns the JSON object of a body. Throws `registry/unexpected-answer`, which says when it is HTML. */
export function parseJsonBody(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (isRecord(value)) return value;
  throw new AppError('registry/unexpected-answer', 'upstream', `${what}: the answer is not a JSON object`, {
    expected: 'a document of the distribution spec',
    found: /^\s*</.test(bytes.subarray(0, 64).toString('latin1'))
      ? 'an HTML page'
      : `${bytes.length} bytes of something else`,
    hint: 'something between this machine and the registry (a proxy, a login page) may answer instead of it',
  });
}

interface TagPage {
  readonly value: Record<string, unknown>;
  readonly next: string | undefined;
}

/** readPage asks on condition where the page is known: an unchanged one comes without its body. */
async function readPage(
  wire: Transport,
  repo: Repository,
  url: string,
  what: string,
  pages: PageCache | undefined,
): Promise<TagPage> {
  const known = await pages?.get(url);
  const headers = known === undefined ? {} : { 'if-none-match': known.etag };
  const expect = known === undefined ? [200] : [200, 304];
  const scopes = [pull(wire.endpoint(repo).name)];
  return wire.send({ repo, method: 'GET', url, headers, scopes, expect, doing: `list ${what}` }, async (answer) => {
    if (answer.status === 304 && known !== undefined) {
      await discard(answer.body);
      return { value: parseJsonBody(Buffer.from(known.text), what), next: known.next };
    }
    const bytes = await readBody(answer, pageBytes, what);
    const [value, next] = [parseJsonBody(bytes, what), nextPage(answer, repo)];
    const etag = answer.headers.get('etag');
    if (etag !== undefined && etag.length <= 512) await pages?.set(url, { etag, text: bytes.toString('utf8'), next });
    return { value, next };
  });
}

/**
 * listTags returns all tags in the registry's order, page by page. Throws `registry/too-many-tags`
 * beyond `limit`, RegistryError, `registry/pages`, or `registry/unexpected-answer`.
 */
export async function listTags(
  wire: Transport,
  repo: Repository,
  limit = maxTags,
  pages?: PageCache,
): Promise<string[]> {
  const what = `the tags of ${formatImageRef(repo)}`;
  const tags: string[] = [];
  let url: string | undefined = wire.url(repo, 'tags/list?n=1000');
  const further = new Pages(what, url);
  while (url !== undefined) {
    const page: TagPage = await readPage(wire, repo, url, what, pages);
    const list = page.value['tags'] ?? [];
    if (!Array.isArray(list) || !list.every((tag): tag is string => typeof tag === 'string'))
      throw new AppError('registry/unexpected-answer', 'upstream', `${what}: the answer is not a list of names`);
    for (const tag of list) tags.push(tag);
    if (tags.length > limit)
      throw new AppError('registry/too-many-tags', 'upstream', `${formatRepository(repo)} has too many tags`, {
        expected: `at most ${limit}`,
        found: `more than ${limit}`,
        hint: 'pin the reference by tag and digest, so that its tags need not be listed',
      });
    url = further.next(page.next, list.length);
  }
  return tags;
}
