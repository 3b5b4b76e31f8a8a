import { join } from 'node:path';
import * as z from 'zod';
import type { Mirrors } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { alarmOf, bump, changelog, firstSeenFile, type BumpResult } from '../bump/index.ts';
import { loadDefinitions } from '../plan.ts';
import { pinsOfGroup } from './bump-groups.ts';
import { branchOf, fetchBranch, git } from './git.ts';

const record = z.strictObject({
  version: z.literal(1),
  group: z.string().regex(/^[a-z][a-z-]*$/),
  /** Commit that the patch is for. */
  base: z.string().regex(/^[0-9a-f]{40}$/),
  title: z.string().max(200),
  files: z.array(z.string()),
  /** False: an alarm, or a pin that could not be told; an open proposal is left as it is when nothing is due. */
  whole: z.boolean(),
});

/** BumpRecord is what the job that asks the upstreams hands to the job that may write. */
export type BumpRecord = Readonly<z.infer<typeof record>>;

/** Names inside the folder that the two jobs share. */
export const bumpFiles = { record: 'bump.json', patch: 'bump.patch', body: 'body.md' } as const;

export async function readBumpRecord(host: Host, folder: string): Promise<BumpRecord> {
  const file = join(folder, bumpFiles.record);
  const text = await host.files.readText(file, 1024 * 1024);
  try {
    return record.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('ci/record', 'usage', 'malformed record of a bump', { where: { file }, cause });
  }
}

function titleOf(group: string, { rows }: BumpResult): string {
  const due = rows.flatMap(({ pin, verdict }) =>
    verdict.$case === 'due' ? [`${pin.name} ${verdict.to.version}`] : [],
  );
  if (due.length === 0) return `Record first sights of ${group}`;
  const all = `Bump ${due.join(', ')}`;
  return all.length <= 100 ? all : `Bump ${due.length} ${group}`;
}

export interface CiBumpOptions {
  readonly root: string;
  readonly group: string;
  readonly mirrors: Mirrors;
  /** Folder for what was found, absolute. */
  readonly output: string;
}

/**
 * bumpGroup bumps one group in the work tree and writes down the patch, the reviewer's page and what they
 * are about. It needs no right to write anywhere: another job proposes what it found.
 */
export async function bumpGroup(
  host: Host,
  { root, group, mirrors, output }: CiBumpOptions,
): Promise<{ readonly record: BumpRecord; readonly result: BumpResult; readonly body: string }> {
  const targets = pinsOfGroup(await loadDefinitions(host, root), group);
  const base = (await git(host, root, ['rev-parse', '--verify', 'HEAD']))?.trim() ?? '';
  const proposed = await fetchBranch(host, root, branchOf(group));
  const alsoSeen =
    proposed === undefined ? undefined : await git(host, root, ['show', `${proposed}:./${firstSeenFile}`], 'fail');
  const result = await bump(host, {
    root,
    targets,
    mirrors,
    dryRun: false,
    downgrade: false,
    now: false,
    alsoSeen,
  });
  const files = result.written ? [...result.files] : [];
  let patch = '';
  if (files.length > 0) {
    await git(host, root, ['add', '--all', '--', ...files]);
    patch = (await git(host, root, ['diff', '--cached', '--binary', '--no-ext-diff', '--no-renames', 'HEAD'])) ?? '';
  }
  const asked = result.rows.every(({ verdict }) => verdict.$case !== 'unknown');
  const found: BumpRecord = {
    ...{ version: 1, group, base, files },
    title: titleOf(group, result),
    whole: asked && alarmOf(result.rows) === undefined,
  };
  const body = changelog(result);
  await host.files.write(join(output, bumpFiles.patch), patch);
  await host.files.write(join(output, bumpFiles.body), body);
  await host.files.write(join(output, bumpFiles.record), `${JSON.stringify(found, null, 2)}\n`);
  return { record: found, result, body };
}
