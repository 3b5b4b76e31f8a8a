import { AppError, oneLine } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry, Repository } from '../../registry/index.ts';
import {
  claimProblem,
  isKeyless,
  leafOf,
  readEntries,
  searchLog,
  type Identity,
  type KeylessSigner,
  type LoggedEntry,
  type TrustPolicy,
} from '../../sigstore/index.ts';
import type { IssueKind } from './issue.ts';
import { publishedEntries, type PublishedEntries } from './published-entries.ts';
import type { Watched } from './watch.ts';

/** Entries that are read from the log in one run, because nothing that is published holds them. */
const maxUnknown = 500;

/** What this watch does not see, for its output: a quiet day says nothing about it. */
export const unwatched =
  'not watched: Rekor v2 (it has no index; its tiles are not read), other logs, and certificates that signed nothing that a log holds';

/** The issue of this watch. */
export const identityIssue: IssueKind = {
  label: 'identity-watch',
  title: 'The log holds signatures of our identity that we did not publish',
  intro: `Found by the daily watch (\`watch-identity.yml\`), which updates this issue and closes it when all is well. It is ${unwatched}.`,
};

export interface IdentityWatch {
  readonly registry: Registry;
  readonly policy: TrustPolicy;
  /** Where what we publish lies. */
  readonly repositories: readonly Repository[];
  /** Address of a Rekor v1. */
  readonly rekor: string;
  /** Entries before it are not reported: what was published then may be gone from the repositories. */
  readonly since?: Date | undefined;
}

export interface IdentityWatched extends Watched {
  /** Entries that the log's index has under our identities, and how many of them are published. */
  readonly found: number;
  readonly published: number;
}

const signersOf = ({ signer, previousSigners = [] }: TrustPolicy): KeylessSigner[] =>
  [signer, ...previousSigners].filter(isKeyless);

/** What of an identity is not as the policy says; undefined where one of its signers is it. */
function problemOf(identity: Identity, signers: readonly KeylessSigner[]): string | undefined {
  const problems = signers.map((signer) => claimProblem(identity, signer));
  return problems.includes(undefined) ? undefined : problems[0]?.detail;
}

const runOf = ({ extensions }: Identity): string =>
  `run ${extensions.run ?? 'unknown'}, of ${extensions.repository ?? 'an unknown repository'}`;

function judge(entry: LoggedEntry, signers: readonly KeylessSigner[]): Watched['concerns'] {
  const { identity, logIndex, time, leaf } = entry;
  // The index folds case, and an entry without a certificate has no identity: neither is ours.
  const isOurs = signers.some(({ identities }) => identity !== undefined && identities.includes(identity.name));
  if (identity === undefined || !isOurs) return [];
  const problem = problemOf(identity, signers);
  const rule = problem === undefined ? 'watch/unpublished' : 'watch/foreign-caller';
  const why = problem ?? 'nothing in our repositories holds it';
  const message = `${why}: log index ${logIndex}, ${time.toISOString()}, ${runOf(identity)}`;
  return [{ rule, subject: `${identity.name} ${leaf.slice(0, 16)}`, message }];
}

/** What is attached to our images in the name of our identity, and is not by those who may use it. */
function strangers(published: PublishedEntries, signers: readonly KeylessSigner[]): Watched['concerns'] {
  return [...published].flatMap(([leaf, identity]) => {
    const isOurs = signers.some(({ identities }) => identity !== undefined && identities.includes(identity.name));
    const problem = identity !== undefined && isOurs ? problemOf(identity, signers) : undefined;
    if (identity === undefined || problem === undefined) return [];
    const message = `${problem}, and it is attached to an image of ours: ${runOf(identity)}`;
    return [{ rule: 'watch/foreign-caller', subject: `${identity.name} ${leaf.slice(0, 16)}`, message }];
  });
}

async function published({ registry, repositories }: IdentityWatch): Promise<PublishedEntries> {
  const all: PublishedEntries = new Map();
  for (const repo of repositories)
    for (const [leaf, identity] of await publishedEntries(registry, repo)) all.set(leaf, identity);
  return all;
}

async function compare(host: Host, watch: IdentityWatch, signers: readonly KeylessSigner[]): Promise<IdentityWatched> {
  const own = await published(watch);
  const found = new Map<string, string>();
  for (const identity of new Set(signers.flatMap(({ identities }) => identities)))
    for (const id of await searchLog(host, watch.rekor, identity)) found.set(leafOf(id), id);
  const known = [...found.keys()].filter((leaf) => own.has(leaf)).length;
  // A Rekor that cannot search by subject answers with nothing: that it finds what we know shows that it searched.
  if (known === 0)
    throw new AppError('ci/watch-identity', 'upstream', 'the log’s index names nothing that we published', {
      expected: `at least one of ${own.size} published entries under our identity`,
      found: `${found.size} entries`,
      hint: 'this Rekor may not search by subject (sigstore/rekor#2850), or nothing is published yet',
    });
  const unknown = [...found].filter(([leaf]) => !own.has(leaf)).map(([, id]) => id);
  if (unknown.length > maxUnknown)
    throw new AppError('ci/watch-identity', 'upstream', 'the log holds more than can be looked at', {
      expected: `at most ${maxUnknown} entries that are not published`,
      found: String(unknown.length),
    });
  const { since } = watch;
  const entries = await readEntries(host, watch.rekor, unknown);
  const recent = entries.filter(({ time }) => since === undefined || time >= since);
  const concerns = [...strangers(own, signers), ...recent.flatMap((entry) => judge(entry, signers))];
  return { concerns, unknown: [], found: found.size, published: known };
}

/**
 * watchIdentity compares what Rekor v1 holds under the policy's identities with what our repositories hold. A question
 * that was not answered is `unknown`, and never good news. Throws `ci/watch-identity` for a policy without identities.
 */
export async function watchIdentity(host: Host, watch: IdentityWatch): Promise<IdentityWatched> {
  const signers = signersOf(watch.policy);
  if (signers.length === 0)
    throw new AppError('ci/watch-identity', 'usage', 'the policy names no identity', {
      expected: 'a policy with issuer and identities: a key is searched for nowhere',
    });
  try {
    return await compare(host, watch, signers);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const unknown = [{ rule: 'watch/could-not-tell', subject: watch.rekor, message: oneLine(error) }];
    return { concerns: [], unknown, found: 0, published: 0 };
  }
}
