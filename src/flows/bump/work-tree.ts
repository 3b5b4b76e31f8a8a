import { AppError } from '../../errors/index.ts';
import { Git, type Host } from '../../host/index.ts';
import { BumpError } from './errors.ts';
import type { Changes } from './overlay.ts';
import type { BumpResult, BumpRow } from './rows.ts';
import type { Transaction } from './transaction.ts';

/**
 * checkClean refuses to rewrite files with changes that no commit holds: a diff would mix them with the bump's own. Throws
 * `bump/dirty`, `bump/no-repository`.
 */
export async function checkClean(host: Host, root: string, paths: readonly string[]): Promise<void> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--', ...paths];
  const status = await new Git(host, { directory: root }).run(args).catch((cause: unknown) => {
    throw new BumpError('bump/no-repository', 'usage', 'the project is in no git work tree', {
      expected: 'a repository: a bump is reviewed as a diff, and undone from history',
      found: cause instanceof AppError ? (cause.facts.found ?? '') : '',
      hint: 'clone the project, or git init and commit',
      cause,
    });
  });
  const dirty = status.split('\0').flatMap((entry) => (entry === '' ? [] : [entry.slice(3)]));
  if (dirty.length === 0) return;
  throw new BumpError('bump/dirty', 'usage', 'files that would be rewritten have changes of yours', {
    expected: 'a clean work tree where the bump writes',
    found: dirty.slice(0, 20).join(', '),
    hint: 'commit or stash them; --dry-run shows the bump without writing',
  });
}

/**
 * writeChanges takes the changes over as one transaction; without a transaction it only lists them. Files with changes
 * that no commit holds are refused, but for `edited`: the proposal that is completed.
 */
export async function writeChanges(
  host: Host,
  root: string,
  transaction: Transaction | undefined,
  rows: readonly BumpRow[],
  changes: Changes,
  edited?: string,
): Promise<BumpResult> {
  const files = [...changes.keys()].sort();
  if (transaction === undefined || files.length === 0) return { rows, files, written: false };
  const others = files.filter((file) => file !== edited);
  await checkClean(host, root, others);
  await transaction.write(changes);
  return { rows, files, written: true };
}
