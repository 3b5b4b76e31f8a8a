import { AppError } from '../errors/index.ts';
import type { ActionPin, Candidate, GitPin, Presence, Resolved } from '../core/index.ts';
import { tagOfVersion, versionOfTag } from '../core/version.ts';
import type { Commit, Refs, Repositories } from './repositories.ts';
import { Incomplete, seen, type CandidateQuestion, type Upstream } from './types.ts';

function tagCandidates({ tags }: Refs, pattern: string | undefined): readonly Candidate[] {
  return [...tags].flatMap(([tag, commit]) => {
    const version = versionOfTag(tag, pattern);
    return version === undefined ? [] : [{ version, target: commit, identity: commit }];
  });
}

/** A pin without a range follows the default branch and is named by the day of its commit. */
const followsBranch = (pin: GitPin): boolean => pin.policy.range === undefined;
const dayOf = ({ committed }: Commit): string => new Date(committed).toISOString().slice(0, 10);
const candidateOf = (version: string, { commit, committed }: Commit): Candidate => ({
  version,
  target: commit,
  identity: commit,
  published: committed,
});

/** GitUpstream asks a repository: refs, then one commit, its tree, and the files below the pinned path. */
export class GitUpstream implements Upstream<GitPin> {
  readonly #repositories: Repositories;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async presence(pin: GitPin): Promise<Presence> {
    const { repository, commit, path, tree: expected } = pin;
    const what = `${repository} ${commit}`;
    try {
      // A commit that a ref names is there: only what no ref names any more has to be fetched to tell.
      const { named } = await this.#repositories.refs(repository);
      const { tree } = await (named.has(commit) ? this.#repositories.commit(pin) : this.#repositories.fetch(pin));
      if (tree === expected) return { $case: 'there' };
      return { $case: 'other', expected, found: tree, source: `${what}:${path}` };
    } catch (error) {
      // The server answered, and does not have it: another thing than no answer.
      if (error instanceof AppError && /not our ref|unadvertised object/.test(error.facts.found ?? ''))
        return { $case: 'gone', what };
      throw error;
    }
  }

  async candidates(pin: GitPin, { version }: CandidateQuestion): Promise<readonly Candidate[]> {
    if (version !== undefined && /^[0-9a-f]{40}$/.test(version))
      return [candidateOf(version, await this.#repositories.commit({ ...pin, commit: version }))];
    const refs = await this.#repositories.refs(pin.repository);
    if (!followsBranch(pin)) return tagCandidates(refs, pin.policy.tag);
    if (refs.head === undefined) throw new Incomplete(`${pin.repository} has no HEAD`);
    if (refs.head === pin.commit) return [];
    const head = await this.#repositories.commit({ ...pin, commit: refs.head });
    // Commits elsewhere in the repository change nothing of what is pinned.
    return head.tree === pin.tree ? [] : [candidateOf(dayOf(head), head)];
  }

  async identity(_pin: GitPin, { identity }: Candidate): Promise<string | undefined> {
    return identity;
  }

  async facts(pin: GitPin, candidate: Candidate): Promise<Resolved> {
    const found = await this.#repositories.files({ ...pin, commit: candidate.target });
    const { commit, tree, digest, count } = found;
    const version = followsBranch(pin) ? dayOf(found) : candidate.version;
    return {
      facts: { kind: 'git', version, commit, tree, digest },
      evidence: [
        seen('git-object', `${pin.repository} ${commit}`),
        seen('own-hash', `the ${count} files of that tree`),
      ],
    };
  }
}

const urlOf = ({ repository }: ActionPin): string => `https://github.com/${repository}`;
const patternOf = ({ policy }: ActionPin): string => policy.tag ?? 'v{version}';

/** ActionUpstream asks for the tags of an action; a tag that names another commit than pinned is an alarm. */
export class ActionUpstream implements Upstream<ActionPin> {
  readonly #repositories: Repositories;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async presence(pin: ActionPin): Promise<Presence> {
    const now = (await this.candidates(pin)).find(({ version }) => version === pin.version);
    const source = `${pin.repository} ${pin.version}`;
    if (now === undefined) return { $case: 'gone', what: `the tag of ${source}` };
    if (now.target === pin.commit) return { $case: 'there' };
    return { $case: 'other', expected: pin.commit, found: now.target, source };
  }

  async candidates(pin: ActionPin): Promise<readonly Candidate[]> {
    const tags = tagCandidates(await this.#repositories.refs(urlOf(pin)), patternOf(pin));
    return tags.map((candidate) => ({
      ...candidate,
      link: `${urlOf(pin)}/releases/tag/${tagOfVersion(candidate.version, patternOf(pin))}`,
    }));
  }

  async identity(_pin: ActionPin, { identity }: Candidate): Promise<string | undefined> {
    return identity;
  }

  async facts(pin: ActionPin, { version, target }: Candidate): Promise<Resolved> {
    return {
      facts: { kind: 'action', version, commit: target },
      evidence: [seen('git-object', `${urlOf(pin)} ${version}`)],
    };
  }
}
