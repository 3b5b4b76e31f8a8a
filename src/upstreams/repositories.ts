import { join } from 'node:path';
import { digestOf, Limiter, hexOf, mirrorUrl, type Digest, type Mirrors } from '../core/index.ts';
import { Git, type Host } from '../host/index.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';

const objectName = /^[0-9a-f]{40}$/;
const maxFileBytes = 64 * 1024 * 1024;

/** Refs is what a repository offers under names. */
export interface Refs {
  /** The commit of its default branch; absent in an empty repository. */
  readonly head: string | undefined;
  /** Tag → commit; an annotated tag stands for the commit that it points to. */
  readonly tags: ReadonlyMap<string, string>;
  /** Every object that some ref names. */
  readonly named: ReadonlySet<string>;
}

export interface Commit {
  readonly commit: string;
  /** ISO time of the committer. */
  readonly committed: string;
  /** Git's tree of the path. */
  readonly tree: string;
}

/** Place is a path at a commit of a repository. */
export interface Place {
  readonly repository: string;
  readonly commit: string;
  readonly path: string;
}

const noteKey = ({ repository, commit, path }: Place): string => `git ${repository} ${commit} ${path}`;

async function readCommit(clone: Git, path: string): Promise<Commit> {
  const shown = await clone.run(['log', '-1', '--format=%H %cI', 'FETCH_HEAD'], 'read the commit');
  const [commit = '', committed = ''] = shown.trim().split(' ');
  const tree = await clone.run(['rev-parse', '--verify', `FETCH_HEAD:${path}`], `find ${path} in ${commit}`);
  return { commit, committed, tree: tree.trim() };
}

/** Repositories reads refs, commits and trees of other people's git repositories. */
export class Repositories {
  readonly #host: Host;
  readonly #mirrors: Mirrors;
  readonly #answers: Answers;
  readonly #git: Git;
  readonly #gate: Limiter;

  constructor(host: Host, mirrors: Mirrors, answers: Answers) {
    this.#host = host;
    this.#mirrors = mirrors;
    this.#answers = answers;
    this.#git = new Git(host, { code: 'bump/git' });
    this.#gate = new Limiter(4, host.clock);
  }

  /** refs returns all refs by one request: git's protocol 0 lists them in its first answer, the newer one asks twice. */
  refs(repository: string): Promise<Refs> {
    return this.#answers.once(`refs ${repository}`, async () => {
      const args = ['-c', 'protocol.version=0', 'ls-remote', '--', mirrorUrl(repository, this.#mirrors)];
      const listed = await this.#gate.run(() => this.#git.run(args, `list the refs of ${repository}`));
      const refs = new Map<string, string>();
      for (const line of listed.split('\n')) {
        const [commit = '', ref = ''] = line.split('\t');
        // `v1^{}` comes after `v1` and is the commit itself.
        if (objectName.test(commit)) refs.set(ref.replace(/\^\{\}$/, ''), commit);
      }
      const prefix = 'refs/tags/';
      const tags = [...refs].filter(([ref]) => ref.startsWith(prefix));
      return {
        head: refs.get('HEAD'),
        tags: new Map(tags.map(([ref, commit]) => [ref.slice(prefix.length), commit])),
        named: new Set(refs.values()),
      };
    });
  }

  /** commit reads a commit's date and the tree of a path, without the files; from memory where it was read before. */
  async commit(place: Place): Promise<Commit> {
    return (await this.known(place)) ?? (await this.fetch(place));
  }

  /** fetch is `commit` that always asks the server, which says whether it still has it. */
  fetch(place: Place): Promise<Commit> {
    return this.#answers.once(noteKey(place), async () => {
      const found = await this.#inClone(place, ['--filter=blob:none'], (clone) => readCommit(clone, place.path));
      await this.#answers.note(noteKey(place), `${found.tree} ${found.committed}`);
      return found;
    });
  }

  /**
   * known is what an earlier run read of a commit. Its name stands for all of it for ever, so the server need not be
   * asked what it holds; whether the server still has it is another question.
   */
  async known(place: Place): Promise<Commit | undefined> {
    const [tree, committed] = ((await this.#answers.recall(noteKey(place)))?.text ?? '').split(' ');
    if (tree === undefined || !objectName.test(tree) || committed === undefined) return undefined;
    return Number.isNaN(Date.parse(committed)) ? undefined : { commit: place.commit, committed, tree };
  }

  /** files returns commit, tree, and the number and digest of the files below the path. */
  files(place: Place): Promise<Commit & { readonly digest: Digest; readonly count: number }> {
    return this.#inClone(place, [], async (clone, directory) => {
      const commit = await readCommit(clone, place.path);
      const lines = await this.#checksums(clone, directory, place.path);
      return { ...commit, digest: digestOf(lines.join('')), count: lines.length };
    });
  }

  /** The files of the path as the Dockerfile hashes them: SHA-256 over the sorted lines of sha256sum. */
  async #checksums(clone: Git, directory: string, path: string): Promise<readonly string[]> {
    await clone.run(['read-tree', `FETCH_HEAD:${path}`], `read ${path}`);
    await clone.run(['checkout-index', '--all', '--prefix=out/'], `write the files of ${path}`);
    const listed = await clone.run(['ls-files', '--stage', '-z'], `list ${path}`);
    const lines: string[] = [];
    for (const entry of listed.split('\0').filter((text) => text !== '')) {
      const [, mode = '', name = ''] = /^(\d+) [0-9a-f]+ \d\t(.+)$/s.exec(entry) ?? [];
      if (!/^100(?:644|755)$/.test(mode) || /[\\\n\r]/.test(name))
        throw new UpstreamError('bump/git', 'upstream', `${path} holds something else than plain files`, {
          expected: 'regular files, no links and no submodules',
          found: `${mode} ${JSON.stringify(name)}`,
        });
      const bytes = await this.#host.files.read(join(directory, 'out', name), maxFileBytes);
      lines.push(`${hexOf(digestOf(bytes))}  ./${name}\n`);
    }
    return lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  async #inClone<T>(
    { repository, commit }: Place,
    filter: readonly string[],
    work: (clone: Git, directory: string) => Promise<T>,
  ): Promise<T> {
    const { files } = this.#host;
    const directory = await files.temporaryDirectory('bump-git');
    const unregister = this.#host.onExit(() => files.remove(directory));
    const clone = this.#git.in(directory);
    const from = ['--', mirrorUrl(repository, this.#mirrors), commit];
    try {
      return await this.#gate.run(async () => {
        await clone.run(['init', '--quiet'], 'make a repository');
        const args = ['fetch', '--quiet', '--depth=1', '--no-tags', ...filter, ...from];
        await clone.run(args, `fetch ${commit} of ${repository}`);
        return work(clone, directory);
      });
    } finally {
      unregister();
      await files.remove(directory);
    }
  }
}
