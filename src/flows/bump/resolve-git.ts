import { AppError } from '../../errors/index.ts';
import type { ActionPin, GitPin } from '../../core/index.ts';
import { tagOfVersion, versionOfTag, type Candidate } from '../../pins/bump/index.ts';
import { fetchCommit, fetchTree, knownCommit, listRefs } from './git.ts';
import { evidenceOf, Incomplete, type Resolver, type Sources } from './resolver.ts';

const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

function tagCandidates(tags: ReadonlyMap<string, string>, pattern: string | undefined): readonly Candidate[] {
  return [...tags].flatMap(([tag, commit]) => {
    const version = versionOfTag(tag, pattern);
    return version === undefined ? [] : [{ version, target: commit, identity: commit }];
  });
}

/** A pin without a range follows the default branch and is named by the day of its commit. */
const followsBranch = (pin: GitPin): boolean => pin.policy.range === undefined;

/** gitResolver asks a repository: refs, then one commit, its tree, and the files below the pinned path. */
export function gitResolver(sources: Sources): Resolver<GitPin> {
  const atCommit = async (pin: GitPin, commit: string): Promise<Candidate & { readonly tree: string }> => {
    const known = await knownCommit(sources, pin.repository, commit, pin.path);
    const { committed, tree } = known ?? (await fetchCommit(sources, pin.repository, commit, pin.path));
    const version = new Date(committed).toISOString().slice(0, 10);
    return { version, target: commit, identity: commit, published: committed, tree };
  };
  /** A commit that a ref names is there: only what nobody names any more has to be fetched to tell. */
  const pinned = async ({ repository, commit, path }: GitPin): Promise<{ readonly tree: string }> => {
    const { named } = await listRefs(sources, repository);
    const known = named.has(commit) ? await knownCommit(sources, repository, commit, path) : undefined;
    return known ?? (await fetchCommit(sources, repository, commit, path));
  };
  return {
    identity: async (_pin, { identity }) => identity,
    async presence(pin) {
      let tree: string;
      try {
        ({ tree } = await pinned(pin));
      } catch (error) {
        // The server answered, and does not have it: another thing than no answer.
        if (error instanceof AppError && /not our ref|unadvertised object/.test(error.facts.found ?? ''))
          return { $case: 'gone', what: `${pin.repository} ${pin.commit}` };
        throw error;
      }
      if (tree === pin.tree) return { $case: 'there' };
      return { $case: 'other', expected: pin.tree, found: tree, source: `${pin.repository} ${pin.commit}:${pin.path}` };
    },
    async candidates(pin, version) {
      if (version !== undefined && isCommit(version)) return [{ ...(await atCommit(pin, version)), version }];
      const { head, tags } = await listRefs(sources, pin.repository);
      if (!followsBranch(pin)) return tagCandidates(tags, pin.policy.tag);
      if (head === undefined) throw new Incomplete(`${pin.repository} has no HEAD`);
      if (head === pin.commit) return [];
      const candidate = await atCommit(pin, head);
      // Commits elsewhere in the repository change nothing of what is pinned.
      return candidate.tree === pin.tree ? [] : [candidate];
    },
    async facts(pin, candidate) {
      const found = await fetchTree(sources, pin.repository, candidate.target, pin.path);
      const day = new Date(found.committed).toISOString().slice(0, 10);
      return {
        facts: {
          kind: 'git',
          version: followsBranch(pin) ? day : candidate.version,
          commit: found.commit,
          tree: found.tree,
          digest: found.digest,
        },
        evidence: [
          evidenceOf(sources.host, 'git-object', `${pin.repository} ${found.commit}`),
          evidenceOf(sources.host, 'own-hash', `the ${found.count} files of that tree`),
        ],
      };
    },
  };
}

/** actionResolver asks for the tags of an action; a tag that names another commit than pinned is an alarm. */
export function actionResolver(sources: Sources): Resolver<ActionPin> {
  const urlOf = (pin: ActionPin): string => `https://github.com/${pin.repository}`;
  const patternOf = (pin: ActionPin): string => pin.policy.tag ?? 'v{version}';
  return {
    identity: async (_pin, { identity }) => identity,
    async presence(pin) {
      const tags = tagCandidates((await listRefs(sources, urlOf(pin))).tags, patternOf(pin));
      const now = tags.find(({ version }) => version === pin.version);
      const source = `${pin.repository} ${pin.version}`;
      if (now === undefined) return { $case: 'gone', what: `the tag of ${source}` };
      if (now.target === pin.commit) return { $case: 'there' };
      return { $case: 'other', expected: pin.commit, found: now.target, source };
    },
    async candidates(pin) {
      return tagCandidates((await listRefs(sources, urlOf(pin))).tags, patternOf(pin)).map((candidate) => ({
        ...candidate,
        link: `${urlOf(pin)}/releases/tag/${tagOfVersion(candidate.version, patternOf(pin))}`,
      }));
    },
    facts: async (pin, { version, target }) => ({
      facts: { kind: 'action', version, commit: target },
      evidence: [evidenceOf(sources.host, 'git-object', `${urlOf(pin)} ${version}`)],
    }),
  };
}
