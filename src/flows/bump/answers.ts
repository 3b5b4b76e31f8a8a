import { join } from 'node:path';
import * as z from 'zod';
import { digestOf, hexOf, isDigest, type Digest } from '../../core/digest.ts';
import type { Host } from '../../host/index.ts';
import type { Page, PageCache } from '../../registry/index.ts';

/** Files kept, and upper limit of one, in bytes: the newest 512 of at most 4 MiB. */
const keep = 512;
const maxBytes = 4 * 1024 * 1024;

const schema = z.strictObject({
  version: z.literal(1),
  url: z.string(),
  etag: z.string().min(1).max(512),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  text: z.string(),
  next: z.string().optional(),
});

const noteSchema = z.strictObject({
  version: z.literal(1),
  key: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  text: z.string(),
});

/** Note is something that was found out before, and when. */
export interface Note {
  readonly at: number;
  readonly text: string;
}

/**
 * Answers remembers what upstreams sent, in the user's cache folder, so that asking again is one
 * conditional request without a body. A remembered text counts only when its server says that it is
 * still the same (304), or when somebody states its digest; one whose bytes changed on the disk is
 * none. A note counts as its reader says. A cache that cannot be read or written costs requests, nothing else.
 */
export class Answers implements PageCache {
  readonly #host: Host;
  readonly #folder: string;
  #pruned: Promise<void> | undefined;

  constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  /** Where there is neither XDG_CACHE_HOME nor HOME, nothing is remembered. */
  static of(host: Host): Answers | undefined {
    const { XDG_CACHE_HOME: cache, HOME: home } = host.env;
    const base = cache !== undefined && cache !== '' ? cache : home && join(home, '.cache');
    return base ? new Answers(host, join(base, 'openshell-runner-images', 'answers')) : undefined;
  }

  async get(url: string): Promise<Page | undefined> {
    const parsed = schema.safeParse(await this.#read(this.#path(url)));
    if (!parsed.success || parsed.data.url !== url || digestOf(parsed.data.text) !== parsed.data.digest)
      return undefined;
    const { etag, text, next } = parsed.data;
    return { etag, text, ...(next === undefined ? {} : { next }) };
  }

  async set(url: string, { etag, text, next }: Page): Promise<void> {
    const value = { version: 1, url, etag, digest: digestOf(text), text, ...(next === undefined ? {} : { next }) };
    await this.#write(this.#path(url), JSON.stringify(value));
  }

  /** content gives a text whose digest somebody states. */
  async content(digest: Digest): Promise<string | undefined> {
    const text = await this.#text(join(this.#folder, `text-${hexOf(digest)}`));
    return text !== undefined && digestOf(text) === digest ? text : undefined;
  }

  async keep(text: string): Promise<void> {
    await this.#write(join(this.#folder, `text-${hexOf(digestOf(text))}`), text);
  }

  /** recall gives what was noted under a key; whoever asks decides whether it may still count. */
  async recall(key: string): Promise<Note | undefined> {
    const parsed = noteSchema.safeParse(await this.#read(this.#notePath(key)));
    if (!parsed.success || parsed.data.key !== key || digestOf(parsed.data.text) !== parsed.data.digest)
      return undefined;
    return { at: parsed.data.at, text: parsed.data.text };
  }

  async note(key: string, text: string): Promise<void> {
    const value = { version: 1, key, at: this.#host.clock.now().getTime(), digest: digestOf(text), text };
    await this.#write(this.#notePath(key), JSON.stringify(value));
  }

  #notePath(key: string): string {
    return join(this.#folder, `note-${hexOf(digestOf(key))}.json`);
  }

  #path(url: string): string {
    return join(this.#folder, `url-${hexOf(digestOf(url))}.json`);
  }

  async #text(path: string): Promise<string | undefined> {
    try {
      return await this.#host.files.readText(path, 2 * maxBytes);
    } catch {
      return undefined;
    }
  }

  async #read(path: string): Promise<unknown> {
    const text = await this.#text(path);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    } catch {
      return undefined;
    }
  }

  async #write(path: string, text: string): Promise<void> {
    if (text.length > maxBytes) return;
    try {
      // What a private repository sent is nobody else's to read.
      await this.#host.files.write(path, text, 0o600);
      await (this.#pruned ??= this.#prune());
    } catch {
      // A full or read-only cache: the next run asks in full.
    }
  }

  /** prune keeps the newest, once a run. */
  async #prune(): Promise<void> {
    const { files } = this.#host;
    const names = await files.list(this.#folder);
    if (names.length <= keep) return;
    const dated = await Promise.all(
      names.map(async (name) => ({ name, mtime: (await files.stat(join(this.#folder, name)))?.mtime ?? 0 })),
    );
    dated.sort((a, b) => b.mtime - a.mtime);
    for (const { name } of dated.slice(keep)) await files.remove(join(this.#folder, name));
  }
}
