import { join } from 'node:path';
import * as z from 'zod';
import { AppError, throwAll } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { generate } from '../generate.ts';
import { checkPins } from '../pins.ts';
import { bumpFiles, readBumpRecord, type BumpRecord } from './bump.ts';
import { bot, branchOf, fetchBranch, git } from './git.ts';
import { askGitHub, type Question } from './github.ts';

/** GitHub takes 65 536 characters. */
const maxBody = 60_000;
const maxPatch = 64 * 1024 * 1024;
const pulls = z.array(z.object({ number: z.number().int(), title: z.string(), body: z.string().nullish() }));
const made = z.object({ number: z.number().int() });

export type Proposal =
  | { readonly $case: 'opened' | 'updated' | 'unchanged' | 'closed'; readonly number: number }
  | { readonly $case: 'nothing' }
  /** Somebody worked on the branch: it is theirs now. */
  | { readonly $case: 'left-alone'; readonly author: string };

/** Where a group's patch may reach; the job that made it has read the whole internet. */
function mayWrite(path: string, group: string): boolean {
  const [folder] = path.split('/');
  return folder === 'images' || folder === 'checksums' || (folder === '.github' && group === 'actions');
}

/** applyPatch puts the patch into index and work tree, and refuses what no bump writes. Throws `ci/patch`. */
async function applyPatch(host: Host, root: string, folder: string, { group, base }: BumpRecord): Promise<void> {
  const head = (await git(host, root, ['rev-parse', '--verify', 'HEAD']))?.trim();
  const bad = (message: string, expected: string, found: string): AppError =>
    new AppError('ci/patch', 'findings', message, { expected, found, hint: 'nothing was pushed' });
  if (head !== base) throw bad('the patch was made for another commit', base, head ?? 'none');
  const file = join(folder, bumpFiles.patch);
  if (((await host.files.stat(file))?.size ?? 0) > maxPatch)
    throw bad('the patch is too large', `${maxPatch} bytes`, '');
  await git(host, root, ['apply', '--index', '--binary', '--', file]);
  const raw = (await git(host, root, ['diff', '--cached', '--raw', '--no-renames', '-z', 'HEAD'])) ?? '';
  const entries = [...raw.matchAll(/:(\d{6}) (\d{6}) [^\0]+\0([^\0]+)\0/g)];
  const errors = entries.flatMap(([, , mode = '', path = '']) => {
    if (!mayWrite(path, group)) return [bad(`a bump of ${group} does not write ${path}`, 'images/, checksums/', path)];
    if (mode !== '100644' && mode !== '000000') return [bad(`${path} is no plain file`, 'mode 100644', mode)];
    return [];
  });
  throwAll(errors);
}

/** The patch stands on its own: generated files follow from the pins, and the pins are whole. */
async function demandWhole(host: Host, root: string): Promise<void> {
  const { changes } = await generate(host, { root, check: true });
  const { findings } = await checkPins(host, { root });
  const faults = [
    ...changes.map(({ path }) => `${path} is not what generate writes`),
    ...findings.filter(({ severity }) => severity === 'error').map(({ message }) => message),
  ].map((message) => new AppError('ci/patch', 'findings', message, { hint: 'nothing was pushed' }));
  throwAll(faults);
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

/** Without a pull request nobody would see that somebody's work was overwritten. */
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
  const note = `Kept up to date by \`bump.yml\` (group ${group}), as one commit on top of the default branch; a commit of somebody else on this branch stops that.`;
  return `${cut.trimEnd()}\n\n---\n${note}\n`;
}

/**
 * propose makes one pull request of what `bumpGroup` found, or brings the open one up to date in place:
 * branch, title and body. When nothing is due any more it closes it. Throws `ci/patch`, `ci/branch-taken`, `ci/git`, `ci/github`.
 */
export async function propose(
  host: Host,
  { root, from, base }: { readonly root: string; readonly from: string; readonly base: string },
): Promise<Proposal> {
  const record = await readBumpRecord(host, from);
  const { group, title, files, whole } = record;
  const branch = branchOf(group);
  const there = await fetchBranch(host, root, branch);
  const pull = await openPull(host, branch);
  if (files.length === 0) {
    // Only an answer about every pin says that nothing is due.
    if (pull === undefined || !whole) return { $case: 'nothing' };
    await ask(host, made, 'PATCH', `/pulls/${pull.number}`, { state: 'closed' });
    return { $case: 'closed', number: pull.number };
  }
  const author = there === undefined ? undefined : await foreignAuthor(host, root, there);
  if (author !== undefined && pull !== undefined) return { $case: 'left-alone', author };
  if (author !== undefined) throw taken(branch, author);
  await applyPatch(host, root, from, record);
  await demandWhole(host, root);
  await push(host, root, branch, title, there);
  const body = bodyOf(await host.files.readText(join(from, bumpFiles.body), maxPatch), group);
  if (pull === undefined) {
    const { number } = await ask(host, made, 'POST', '/pulls', { title, body, head: branch, base });
    return { $case: 'opened', number };
  }
  const same = pull.title === title && pull.body?.replaceAll('\r\n', '\n') === body;
  if (!same) await ask(host, made, 'PATCH', `/pulls/${pull.number}`, { title, body });
  return { $case: same ? 'unchanged' : 'updated', number: pull.number };
}
