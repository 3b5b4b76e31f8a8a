import { join } from 'node:path';
import * as z from 'zod';
import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import type { Host } from '../host/index.ts';
import type { Page, PageCache } from '../registry/index.ts';

/** Files kept, and upper limit of one, in bytes: the newest 512 of at most 4 MiB. */
const keep = 512;
const maxBytes = 4 * 1024 * 1024;

const schema = z.strictObject({
  version: z.literal(2),
  key: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  digest: z.string(),
  text: z.string(),
  /** The server's own name for the text, and the address of the page after it. */
  etag: z.string().min(1).max(512).optional(),
  next: z.string().optional(),
});

type Answer = z.infer<typeof schema>;

/**
 * Answers is the one cache of what upstreams said. While the command runs, a question is asked once, however many
 * pins share it. Between runs, texts are kept in the user's cache folder. A page counts only when its server says that
 * it is still the same (304), a content only for a digest that a source states, a note as its reader says; a text
 * whose bytes changed on the disk is none. A cache that cannot be read or written costs requests, nothing else.
 */
export class Answers implements PageCache {
  readonly #host: Host;
  /** Undefined where there is neither XDG_CACHE_HOME nor HOME: nothing is kept between runs. */
  readonly #folder: string | undefined;
  readonly #asked = new Map<string, Promise<unknown>>();
  #pruned: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
    const { XDG_CACHE_HOME: cache, HOME: home } = host.env;
    const base = cache || (home && join(home, '.cache'));
    this.#folder = base ? join(base, 'openshell-runner-images', 'answers') : undefined;
  }

  /** once asks once per key; an error is every asker's error. */
  once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asking = (this.#asked.get(key) as Promise<T> | undefined) ?? ask();
    this.#asked.set(key, asking);
    return asking;
  }

  async get(url: string): Promise<Page | undefined> {
    const { etag, text, next } = (await this.#read(`page ${url}`)) ?? {};
    if (etag === undefined || text === undefined) return undefined;
    return next === undefined ? { etag, text } : { etag, text, next };
  }

  set(url: string, { text, etag, next }: Page): Promise<void> {
    return this.#write(`page ${url}`, text, { etag, next });
  }

  /** content returns a text whose digest a source states. */
  async content(digest: Digest): Promise<string | undefined> {
    const known = await this.#read(`content ${digest}`);
    return known?.digest === digest ? known.text : undefined;
  }

  keepContent(text: string): Promise<void> {
    return this.#write(`content ${digestOf(text)}`, text);
  }

  /** recall returns what was noted under a key, and when; the caller decides whether it may still count. */
  recall(key: string): Promise<Pick<Answer, 'at' | 'text'> | undefined> {
    return this.#read(`note ${key}`);
  }

  note(key: string, text: string): Promise<void> {
    return this.#write(`note ${key}`, text);
  }

  async #read(key: string): Promise<Answer | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      const text = await this.#host.files.readText(this.#path(this.#folder, key), 2 * maxBytes);
      const answer = schema.parse(JSON.parse(text));
      return answer.key === key && digestOf(answer.text) === answer.digest ? answer : undefined;
    } catch {
      return undefined;
    }
  }

  #path(folder: string, key: string): string {
    return join(folder, `${hexOf(digestOf(key))}.json`);
  }

  async #write(key: string, text: string, more: Pick<Answer, 'etag' | 'next'> = {}): Promise<void> {
    if (this.#folder === undefined || text.length > maxBytes) return;
    const at = this.#host.clock.now().getTime();
    const answer: Answer = { version: 2, key, at, digest: digestOf(text), text, ...more };
    try {
      // What a private repository sent is its reader's alone.
      await this.#host.files.write(this.#path(this.#folder, key), JSON.stringify(answer), 0o600);
      await (this.#pruned ??= this.#prune(this.#folder));
    } catch {
      // A full or read-only cache: the next run asks in full.
    }
  }

  /** prune keeps the newest, once a run. */
  async #prune(folder: string): Promise<void> {
    const { files } = this.#host;
    const names = await files.list(folder);
    if (names.length <= keep) return;
    const dated = await Promise.all(
      names.map(async (name) => ({ name, mtime: (await files.stat(join(folder, name)))?.mtime ?? 0 })),
    );
    dated.sort((a, b) => b.mtime - a.mtime);
    for (const { name } of dated.slice(keep)) await files.remove(join(folder, name));
  }
}
