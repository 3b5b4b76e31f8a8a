import { join } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import { digestOf } from '../../core/digest.ts';
import type { Host } from '../../host/index.ts';
import { bumpFolder, takeLock } from './lock.ts';
import type { Changes } from './overlay.ts';

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
type Journal = z.infer<typeof journalSchema>;
type Entry = Journal['entries'][number];

const paths = (root: string) => ({
  journal: join(root, bumpFolder, 'journal.json'),
  stage: join(root, bumpFolder, 'stage'),
});

async function digestAt(host: Host, path: string): Promise<string | undefined> {
  const stat = await host.files.stat(path);
  if (stat === undefined) return undefined;
  if (stat.type !== 'file')
    throw new AppError('bump/no-file', 'usage', 'a file that would be rewritten is no regular file', {
      found: stat.type,
      where: { file: path },
    });
  return digestOf(await host.files.read(path, maxFileBytes));
}

/** apply brings one entry from old to new, from wherever a killed run left it. */
async function apply(host: Host, root: string, entry: Entry): Promise<void> {
  const target = join(root, entry.path);
  const now = await digestAt(host, target);
  if (now === entry.after) return;
  if (now !== entry.before)
    throw new AppError('bump/changed-meanwhile', 'usage', 'a file was changed while a bump was half done', {
      expected: `the content from before or after the bump`,
      where: { file: entry.path },
      hint: `git checkout -- ${entry.path}, then run runner-image bump again: it completes what was begun`,
    });
  if (entry.staged === undefined) await host.files.remove(target);
  else await host.files.rename(join(paths(root).stage, entry.staged), target);
}

async function finish(host: Host, root: string, journal: Journal): Promise<void> {
  for (const entry of journal.entries) {
    try {
      await apply(host, root, entry);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('bump/half-done', 'machine', `could not put ${entry.path} in its place`, {
        where: { file: entry.path },
        hint: 'mend the cause and run runner-image bump again: it completes what was begun',
        cause,
      });
    }
  }
  // Once the journal is gone the bump is over; what is left in the stage means nothing any more.
  await host.files.remove(paths(root).journal);
  await host.files.remove(paths(root).stage);
}

/**
 * recover completes or discards what a killed bump left: with a journal everything goes to new,
 * without one everything is still old. Gives the paths that it completed.
 */
async function recover(host: Host, root: string): Promise<readonly string[]> {
  const { journal, stage } = paths(root);
  if ((await host.files.stat(journal)) === undefined) {
    if ((await host.files.stat(stage)) !== undefined) await host.files.remove(stage);
    return [];
  }
  const parsed = journalSchema.safeParse(JSON.parse(await host.files.readText(journal)));
  if (!parsed.success)
    throw new AppError('bump/journal', 'machine', 'the journal of a bump that was cut off cannot be read', {
      where: { file: journal },
      hint: `look at git status, then remove ${bumpFolder}/`,
    });
  await finish(host, root, parsed.data);
  return parsed.data.entries.map(({ path }) => path);
}

/**
 * withTransaction holds the project's lock while `work` runs, after completing what an earlier bump
 * left. `commit` writes all changes or none: new files are staged and flushed first, the journal's
 * rename is the one moment that decides, and a run that is killed later is completed by the next.
 */
export async function withTransaction<T>(
  host: Host,
  root: string,
  work: (commit: (changes: Changes) => Promise<void>) => Promise<T>,
): Promise<T> {
  const release = await takeLock(host, root);
  const unregister = host.onExit(release);
  try {
    const completed = await recover(host, root);
    if (completed.length > 0)
      host.story.warn(`completed a bump that was cut off: ${completed.join(', ')}; review them with git diff`);
    return await work((changes) => commit(host, root, changes));
  } finally {
    unregister();
    await release();
  }
}

async function commit(host: Host, root: string, changes: Changes): Promise<void> {
  const { journal, stage } = paths(root);
  const entries: Entry[] = [];
  try {
    for (const [path, text] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const before = await digestAt(host, join(root, path));
      const old = before === undefined ? {} : { before };
      if (text === undefined) entries.push({ path, ...old });
      else {
        const staged = String(entries.length);
        await host.files.write(join(stage, staged), text);
        // Folders are made now, so that after the journal there is nothing left but renames.
        await host.files.makeDirectory(join(root, path, '..'));
        entries.push({ path, staged, ...old, after: digestOf(text) });
      }
    }
    await host.files.write(journal, JSON.stringify({ version: 1, entries } satisfies Journal));
  } catch (error) {
    await host.files.remove(stage);
    throw error;
  }
  await finish(host, root, { version: 1, entries });
}
