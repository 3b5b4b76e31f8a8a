import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import { digestOf, type Digest } from '../../core/index.ts';
import { mirrorUrl } from '../../dockerfile/render-values.ts';
import type { Sources } from './resolver.ts';

const objectName = /^[0-9a-f]{40}$/;
const maxFileBytes = 64 * 1024 * 1024;

const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '/bin/false', LC_ALL: 'C' };

function scrub(text: string): string {
  return text
    .replace(/\/\/[^/\s@]+@/g, '//')
    .trim()
    .slice(0, 600);
}

async function git(
  { host, commands }: Sources,
  args: readonly string[],
  doing: string,
  cwd?: string,
): Promise<{ readonly stdout: string }> {
  const result = await commands.run(() =>
    host.exec('git', args, {
      env: quiet,
      timeout: 300_000,
      maxBytes: 32 * 1024 * 1024,
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
  if (result.exitCode === 0) return result;
  throw new AppError('bump/git', 'upstream', `git could not ${doing}`, {
    found: scrub(result.stderr),
    hint: 'try the same with git by hand',
  });
}

/** Refs is what a repository offers under names. */
export interface Refs {
  /** The commit of its default branch; absent in an empty repository. */
  readonly head?: string;
  /** Tag → commit; an annotated tag stands for the commit that it points to. */
  readonly tags: ReadonlyMap<string, string>;
  /** Every object that some ref names. */
  readonly named: ReadonlySet<string>;
}

/** listRefs gives all refs by one request: git's protocol 0 tells them in its first answer, the newer one asks twice. */
export async function listRefs(sources: Sources, repository: string): Promise<Refs> {
  return sources.once(`refs ${repository}`, async () => {
    const url = mirrorUrl(repository, sources.mirrors);
    const args = ['-c', 'protocol.version=0', 'ls-remote', '--', url];
    const { stdout } = await git(sources, args, `list the refs of ${repository}`);
    const refs = new Map<string, string>();
    for (const line of stdout.split('\n')) {
      const [commit = '', ref = ''] = line.split('\t');
      // `v1^{}` comes after `v1` and is the commit itself.
      if (objectName.test(commit)) refs.set(ref.replace(/\^\{\}$/, ''), commit);
    }
    const head = refs.get('HEAD');
    const prefix = 'refs/tags/';
    const tags = [...refs].flatMap(([ref, commit]): [string, string][] =>
      ref.startsWith(prefix) ? [[ref.slice(prefix.length), commit]] : [],
    );
    return { ...(head === undefined ? {} : { head }), tags: new Map(tags), named: new Set(refs.values()) };
  });
}

export interface Commit {
  readonly commit: string;
  /** ISO time of the committer. */
  readonly committed: string;
  /** Git's tree of the path. */
  readonly tree: string;
}

async function inClone<T>(
  sources: Sources,
  repository: string,
  commit: string,
  deep: boolean,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const { host, mirrors } = sources;
  const directory = await host.files.temporaryDirectory('bump-git');
  const unregister = host.onExit(() => host.files.remove(directory));
  try {
    await git(sources, ['init', '--quiet', directory], 'make a repository');
    const filter = deep ? [] : ['--filter=blob:none'];
    const args = [
      'fetch',
      '--quiet',
      '--depth=1',
      '--no-tags',
      ...filter,
      '--',
      mirrorUrl(repository, mirrors),
      commit,
    ];
    await git(sources, args, `fetch ${commit} of ${repository}`, directory);
    return await work(directory);
  } finally {
    unregister();
    await host.files.remove(directory);
  }
}

async function readCommit(sources: Sources, directory: string, path: string): Promise<Commit> {
  const { stdout } = await git(sources, ['log', '-1', '--format=%H %cI', 'FETCH_HEAD'], 'read the commit', directory);
  const [commit = '', committed = ''] = stdout.trim().split(' ');
  const { stdout: tree } = await git(
    sources,
    ['rev-parse', '--verify', `FETCH_HEAD:${path}`],
    `find ${path} in ${commit}`,
    directory,
  );
  return { commit, committed, tree: tree.trim() };
}

const noteKey = (repository: string, commit: string, path: string): string => `git ${repository} ${commit} ${path}`;

/** fetchCommit reads a commit's date and the tree of a path, without the files. */
export async function fetchCommit(sources: Sources, repository: string, commit: string, path: string): Promise<Commit> {
  return sources.once(`commit ${repository} ${commit} ${path}`, async () => {
    const found = await inClone(sources, repository, commit, false, (directory) =>
      readCommit(sources, directory, path),
    );
    await sources.answers?.note(noteKey(repository, commit, path), `${found.tree} ${found.committed}`);
    return found;
  });
}

/**
 * knownCommit is what an earlier run read of a commit. Its name stands for all of it for ever, so nobody need be
 * asked what it holds; whether the server still has it is another question.
 */
export async function knownCommit(
  { answers }: Sources,
  repository: string,
  commit: string,
  path: string,
): Promise<Commit | undefined> {
  const [tree, committed] = ((await answers?.recall(noteKey(repository, commit, path)))?.text ?? '').split(' ');
  if (tree === undefined || !objectName.test(tree) || committed === undefined) return undefined;
  return Number.isNaN(Date.parse(committed)) ? undefined : { commit, committed, tree };
}

/** The files of the path, hashed as the Dockerfile does it: SHA-256 over the sorted lines of sha256sum. */
async function digestFiles(
  sources: Sources,
  directory: string,
  path: string,
): Promise<{ digest: Digest; count: number }> {
  await git(sources, ['read-tree', `FETCH_HEAD:${path}`], `read ${path}`, directory);
  await git(sources, ['checkout-index', '--all', '--prefix=out/'], `write the files of ${path}`, directory);
  const { stdout } = await git(sources, ['ls-files', '--stage', '-z'], `list ${path}`, directory);
  const lines: string[] = [];
  for (const entry of stdout.split('\0').filter((text) => text !== '')) {
    const [, mode = '', name = ''] = /^(\d+) [0-9a-f]+ \d\t(.+)$/s.exec(entry) ?? [];
    if (!/^100(?:644|755)$/.test(mode) || /[\\\n\r]/.test(name))
      throw new AppError('bump/git', 'upstream', `${path} holds something else than plain files`, {
        expected: 'regular files, no links and no submodules',
        found: `${mode} ${JSON.stringify(name)}`,
      });
    const bytes = await sources.host.files.read(join(directory, 'out', name), maxFileBytes);
    lines.push(`${digestOf(bytes).slice('sha256:'.length)}  ./${name}\n`);
  }
  lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { digest: digestOf(lines.join('')), count: lines.length };
}

/** fetchTree gives commit, tree and the digest of the files below `path`. */
export async function fetchTree(
  sources: Sources,
  repository: string,
  commit: string,
  path: string,
): Promise<Commit & { readonly digest: Digest; readonly count: number }> {
  return inClone(sources, repository, commit, true, async (directory) => ({
    ...(await readCommit(sources, directory, path)),
    ...(await digestFiles(sources, directory, path)),
  }));
}
