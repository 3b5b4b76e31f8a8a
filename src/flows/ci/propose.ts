import * as z from 'zod';
import { AppError, throwAll } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  changelog,
  firstSeenFile,
  Transaction,
  writeChanges,
  type BumpResult,
  type BumpRow,
  type Changes,
} from '../bump/index.ts';
import { loadDefinitions } from '../plan.ts';
import { pinsOfGroup } from './bump-groups.ts';
import { readBumpRecord } from './bump-record.ts';
import { bot, branchOf, fetchBranch, git } from './git.ts';
import { askGitHub, type Question } from './github.ts';
import { demandBase, proposedChanges, refused } from './proposed-changes.ts';
import { checkReach } from './reach.ts';

/** GitHub takes 65 536 characters. */
const maxBody = 60_000;
const pulls = z.array(z.object({ number: z.number().int(), title: z.string(), body: z.string().nullish() }));
const made = z.object({ number: z.number().int() });

export type Proposal =
  | { readonly $case: 'opened' | 'updated' | 'unchanged' | 'closed'; readonly number: number }
  | { readonly $case: 'nothing' }
  /** Another author worked on the branch: it is theirs now. */
  | { readonly $case: 'left-alone'; readonly author: string };

/** stage puts exactly these changes into the index: plain files, and nothing beside them. Throws `ci/record`. */
async function stage(host: Host, root: string, changes: Changes): Promise<void> {
  const files = [...changes.keys()].sort();
  await git(host, root, ['add', '--all', '--', ...files.map((file) => `:(literal)${file}`)]);
  const raw = (await git(host, root, ['diff', '--cached', '--raw', '--no-renames', '-z', 'HEAD'])) ?? '';
  const entries = [...raw.matchAll(/:\d{6} (\d{6}) [^\0]+\0([^\0]+)\0/g)].map(([, mode = '', path = '']) => ({
    mode,
    path,
  }));
  const odd = entries.filter(({ mode, path }) => !files.includes(path) || !['100644', '000000'].includes(mode));
  throwAll(
    odd.map(({ mode, path }) => refused('git would commit something else', files.join(', '), `${path} ${mode}`)),
  );
}

function titleOf(group: string, rows: readonly BumpRow[]): string {
  const due = rows.flatMap(({ pin, verdict }) =>
    verdict.$case === 'due' ? [`${pin.name} ${verdict.to.version}`] : [],
  );
  if (due.length === 0) return `Record first sights of ${group}`;
  const all = `Bump ${due.join(', ')}`;
  return all.length <= 100 ? all : `Bump ${due.length} ${group}`;
}

const ask = <T>(host: Host, schema: z.ZodType<T>, method: Question['method'], path: string, body?: unknown) =>
  askGitHub(host, schema, {
    method,
    path,
    permission: 'pull-requests: write',
    body,
  });

async function openPull(host: Host, branch: string) {
  const owner = (host.env['GITHUB_REPOSITORY'] ?? '').split('/')[0] ?? '';
  const query = new URLSearchParams({ state: 'open', head: `${owner}:${branch}` });
  return (await ask(host, pulls, 'GET', `/pulls?${query.toString()}`))[0];
}

/** foreignAuthor returns who else wrote or committed something that the branch has and the base has not. */
async function foreignAuthor(host: Host, root: string, there: string): Promise<string | undefined> {
  const said = (await git(host, root, ['log', '--format=%ae%n%ce', `HEAD..${there}`])) ?? '';
  return said.split('\n').find((email) => email !== '' && email !== bot.email);
}

/** Without a pull request, overwriting another author's work would go unseen. */
const taken = (branch: string, author: string): AppError =>
  new AppError('ci/branch-taken', 'findings', `the branch ${branch} holds work that is not this bot's`, {
    expected: `commits of ${bot.email} alone, or an open pull request of that branch`,
    found: `commits of ${author}`,
    hint: `nothing was pushed; rename or delete ${branch}, or open a pull request from it`,
  });

/** push brings the branch to one commit on top of this one; the same proposal again is left as it is. */
async function push(host: Host, root: string, branch: string, title: string, there: string | undefined): Promise<void> {
  const tree = (await git(host, root, ['write-tree']))?.trim() ?? '';
  if (there !== undefined) {
    const [theirTree, parent] = ((await git(host, root, ['log', '-1', '--format=%T %P', there])) ?? '')
      .trim()
      .split(' ');
    const head = (await git(host, root, ['rev-parse', 'HEAD']))?.trim();
    if (theirTree === tree && parent === head) return;
  }
  const who = ['-c', `user.name=${bot.name}`, '-c', `user.email=${bot.email}`, '-c', 'commit.gpgsign=false'];
  await git(host, root, [...who, 'commit', '--quiet', '-m', title]);
  // With a lease: what was pushed since we looked is not thrown away.
  const lease = `--force-with-lease=refs/heads/${branch}:${there ?? ''}`;
  await git(host, root, ['push', '--quiet', lease, 'origin', `HEAD:refs/heads/${branch}`]);
}

function bodyOf(text: string, group: string): string {
  const cut =
    text.length <= maxBody
      ? text
      : `${text.slice(0, text.lastIndexOf('\n', maxBody))}\n\n(cut: see the run's artifact)`;
  const note = `Kept up to date by \`bump.yml\` (group ${group}), as one commit on top of the default branch; a commit by another author on this branch stops that.`;
  return `${cut.trimEnd()}\n\n---\n${note}\n`;
}

export interface ProposeOptions {
  readonly root: string;
  /** As the workflow says: the record may be about no other one. */
  readonly group: string;
  /** Folder with the record of `bumpGroup`. */
  readonly from: string;
  readonly base: string;
}

/**
 * propose makes one pull request of the facts that `bumpGroup` found, or brings the open one up to date in place:
 * branch, title and body, all of them derived here. When no pin is due any more it closes it. Throws `ci/record`,
 * `ci/branch-taken`, `ci/git`, `ci/github`, `bump/*`.
 */
export async function propose(host: Host, { root, group, from, base }: ProposeOptions): Promise<Proposal> {
  const definitions = await loadDefinitions(host, root);
  const names = pinsOfGroup(definitions, group);
  const record = await readBumpRecord(host, from);
  const branch = branchOf(group);
  const there = await fetchBranch(host, root, branch);
  const author = there === undefined ? undefined : await foreignAuthor(host, root, there);
  const ownSights = there === undefined || author !== undefined ? undefined : `${there}:./${firstSeenFile}`;
  const alsoSeen = ownSights === undefined ? undefined : await git(host, root, ['show', ownSights], 'fail');
  demandBase(record, (await git(host, root, ['rev-parse', '--verify', 'HEAD']))?.trim() ?? '');
  const { rows, changes, whole } = await proposedChanges(host, definitions, { root, group, record, alsoSeen });
  const pull = await openPull(host, branch);
  if (changes.size === 0) {
    // Only an answer about every pin says that nothing is due.
    if (pull === undefined || !whole) return { $case: 'nothing' };
    await ask(host, made, 'PATCH', `/pulls/${pull.number}`, { state: 'closed' });
    return { $case: 'closed', number: pull.number };
  }
  if (author !== undefined && pull !== undefined) return { $case: 'left-alone', author };
  if (author !== undefined) throw taken(branch, author);
  await checkReach(host, root, definitions, names, changes);
  const result = await take(host, root, rows, changes);
  await stage(host, root, changes);
  const title = titleOf(group, rows);
  await push(host, root, branch, title, there);
  const body = bodyOf(changelog(result), group);
  if (pull === undefined) {
    const { number } = await ask(host, made, 'POST', '/pulls', { title, body, head: branch, base });
    return { $case: 'opened', number };
  }
  const same = pull.title === title && pull.body?.replaceAll('\r\n', '\n') === body;
  if (!same) await ask(host, made, 'PATCH', `/pulls/${pull.number}`, { title, body });
  return { $case: same ? 'unchanged' : 'updated', number: pull.number };
}

/** take writes the changes into the work tree, all of them or none. */
async function take(host: Host, root: string, rows: readonly BumpRow[], changes: Changes): Promise<BumpResult> {
  const transaction = await Transaction.open(host, root);
  try {
    return await writeChanges(host, root, transaction, rows, changes);
  } finally {
    await transaction.close();
  }
}
