import { join } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import { digestOf } from '../../core/digest.ts';
import { takeLock, type FileLock, type Host } from '../../host/index.ts';
import { BumpError } from './errors.ts';
import type { Changes } from './overlay.ts';

/** Folder of a running bump, inside the project so that every rename stays on one file system. */
const bumpFolder = '.bump';
const maxFileBytes = 64 * 1024 * 1024;

const journalSchema = z.strictObject({
  version: z.literal(1),
  entries: z.array(
    z.strictObject({
      path: z.string(),
      /** Name in the stage; absent: the file is removed. */
      staged: z.string().optional(),
      /** Digests of the content before and after; absent: no file. */
      before: z.string().optional(),
      after: z.string().optional(),
    }),
  ),
});
type Entry = z.infer<typeof journalSchema>['entries'][number];

/**
 * Transaction writes many files or none. New files are staged and flushed first, the journal's rename is the one
 * moment that decides, and only renames follow. `open` completes what a killed run left after that moment, and drops
 * what it left before, so that the next bump repairs the project.
 */
export class Transaction {
  readonly #host: Host;
  readonly #root: string;
  readonly #lock: FileLock;

  private constructor(host: Host, root: string, lock: FileLock) {
    this.#host = host;
    this.#root = root;
    this.#lock = lock;
  }

  /** open holds the project's lock until `close`. Throws `bump/locked`, `bump/changed-meanwhile`, `bump/journal`. */
  static async open(host: Host, root: string): Promise<Transaction> {
    const words = { room: 'bump', holder: 'bump', doing: 'running in this project' };
    const lock = await takeLock(host, join(root, bumpFolder, 'lock'), words);
    const transaction = new Transaction(host, root, lock);
    try {
      await transaction.#recover();
      return transaction;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#lock.release();
  }

  /** write takes over all changes or none. */
  async write(changes: Changes): Promise<void> {
    const { files } = this.#host;
    const entries: Entry[] = [];
    try {
      for (const [path, text] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const before = await this.#digestAt(path);
        if (text === undefined) {
          entries.push({ path, before });
          continue;
        }
        const staged = String(entries.length);
        await files.write(this.#staged(staged), text);
        // Folders are made now, so that after the journal there is nothing left but renames.
        await files.makeDirectory(join(this.#root, path, '..'));
        entries.push({ path, staged, before, after: digestOf(text) });
      }
      await this.#lock.assertHeld();
      await files.write(this.#journal, JSON.stringify({ version: 1, entries }));
    } catch (error) {
      await files.remove(this.#staged());
      throw error;
    }
    await this.#finish(entries);
  }

  get #journal(): string {
    return join(this.#root, bumpFolder, 'journal.json');
  }

  #staged(name = ''): string {
    return join(this.#root, bumpFolder, 'stage', name);
  }

  async #recover(): Promise<void> {
    const { files, progress } = this.#host;
    if ((await files.stat(this.#journal)) === undefined) return files.remove(this.#staged());
    const parsed = journalSchema.safeParse(JSON.parse(await files.readText(this.#journal)));
    if (!parsed.success)
      throw new BumpError('bump/journal', 'machine', 'the journal of a bump that was cut off cannot be read', {
        where: { file: this.#journal },
        hint: `look at git status, then remove ${bumpFolder}/`,
      });
    const { entries } = parsed.data;
    await this.#finish(entries);
    const paths = entries.map(({ path }) => path).join(', ');
    progress.warn(`completed a bump that was cut off: ${paths}; review them with git diff`);
  }

  async #finish(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      try {
        await this.#apply(entry);
      } catch (cause) {
        if (cause instanceof AppError) throw cause;
        throw new BumpError('bump/half-done', 'machine', `could not put ${entry.path} in its place`, {
          where: { file: entry.path },
          hint: 'mend the cause and run runner-image bump again: it completes what was begun',
          cause,
        });
      }
    }
    // Once the journal is gone the bump is over; what is left in the stage means nothing any more.
    await this.#host.files.remove(this.#journal);
    await this.#host.files.remove(this.#staged());
  }

  /** apply brings one file from old to new, from wherever a killed run left it. */
  async #apply({ path, staged, before, after }: Entry): Promise<void> {
    const now = await this.#digestAt(path);
    if (now === after) return;
    if (now !== before)
      throw new BumpError('bump/changed-meanwhile', 'usage', 'a file was changed while a bump was half done', {
        expected: 'the content from before or after the bump',
        where: { file: path },
        hint: `git checkout -- ${path}, then run runner-image bump again: it completes what was begun`,
      });
    const target = join(this.#root, path);
    if (staged === undefined) await this.#host.files.remove(target);
    else await this.#host.files.rename(this.#staged(staged), target);
  }

  async #digestAt(path: string): Promise<string | undefined> {
    const { files } = this.#host;
    const stat = await files.stat(join(this.#root, path));
    if (stat === undefined) return undefined;
    if (stat.type === 'file') return digestOf(await files.read(join(this.#root, path), maxFileBytes));
    throw new BumpError('bump/no-file', 'usage', 'a file that would be rewritten is no regular file', {
      found: stat.type,
      where: { file: path },
    });
  }
}
