import { AppError } from '../../errors/index.ts';
import { architectureOf, platforms, type Pin } from '../../core/index.ts';
import { checksumOf, parseChecksums } from '../../checksums/index.ts';
import { readPins } from '../../config/index.ts';
import { releaseUrl } from '../../dockerfile/render-values.ts';
import type { Host } from '../../host/index.ts';
import type { BumpablePin, Candidate, Facts, Resolved } from '../../pins/bump/index.ts';
import { defaultPinsFile } from '../plan-definitions.ts';
import { readPlatforms } from './resolve-image.ts';
import { resolverOf } from './resolvers.ts';
import { evidenceOf, type Sources } from './resolver.ts';

async function git(host: Host, root: string, args: readonly string[]): Promise<string | undefined> {
  const result = await host.exec('git', ['-C', root, ...args], { env: { GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' } });
  return result.exitCode === 0 ? result.stdout : undefined;
}

/** findRevision gives the commit that a revision names, or the last one up to the end of a day (YYYY-MM-DD, UTC). */
export async function findRevision(host: Host, root: string, to: string): Promise<string> {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(to);
  const args = day
    ? ['rev-list', '-1', `--before=${to}T23:59:59Z`, 'HEAD']
    : ['rev-parse', '--verify', '--quiet', '--end-of-options', `${to}^{commit}`];
  const commit = (await git(host, root, args))?.trim();
  if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) return commit;
  throw new AppError('bump/revision', 'usage', day ? `no commit is as old as ${to}` : 'git knows no such revision', {
    expected: 'a commit, tag or branch, or a date YYYY-MM-DD',
    found: JSON.stringify(to.slice(0, 80)),
    hint: 'git log -- images/pins.yaml lists the bumps; a shallow clone needs git fetch --unshallow',
  });
}

/** fileAt gives a file of the project as a commit has it. Throws `bump/history`. */
export async function fileAt(host: Host, root: string, commit: string, path: string): Promise<string> {
  const text = await git(host, root, ['show', `${commit}:./${path}`]);
  if (text !== undefined) return text;
  throw new AppError('bump/history', 'usage', `${path} is not in ${commit.slice(0, 12)}`, {
    hint: 'choose a later revision',
  });
}

/** pinAt gives a pin as it was at a commit, with the files that belonged to it. */
async function pinAt(
  host: Host,
  root: string,
  commit: string,
  pin: BumpablePin,
): Promise<{ old: BumpablePin; facts: Facts }> {
  const read = readPins(await fileAt(host, root, commit, defaultPinsFile), `${commit.slice(0, 12)}:${defaultPinsFile}`);
  const entry = read.value.entries.get(pin.name);
  if (entry?.kind !== pin.kind)
    throw new AppError('bump/history', 'usage', `${pin.name} was no ${pin.kind} pin in ${commit.slice(0, 12)}`, {
      found: entry?.kind ?? 'no such pin',
    });
  const { version } = entry as { version: string };
  switch (entry.kind) {
    case 'image':
      return {
        old: entry,
        facts: { kind: 'image', version, digest: entry.digest, platforms: entry.platforms as never },
      };
    case 'release': {
      const lines = parseChecksums(await fileAt(host, root, commit, entry.checksumFile), entry.checksumFile);
      const assets = platforms.map((platform) => {
        const url = releaseUrl({ ...entry, checksums: {} as never }, architectureOf(platform));
        const name = url.split('/').at(-1) ?? '';
        return { platform, name, digest: checksumOf(lines, name, entry.checksumFile), size: 0 };
      });
      const checksums = Object.fromEntries(assets.map(({ platform, digest }) => [platform, digest]));
      return { old: { ...entry, checksums: checksums as never }, facts: { kind: 'release', version, assets } };
    }
    case 'npm': {
      const [manifest, lock] = await Promise.all(
        ['package.json', 'package-lock.json'].map((name) => fileAt(host, root, commit, `${entry.lock}/${name}`)),
      );
      const files = { 'package.json': manifest ?? '', 'package-lock.json': lock ?? '' };
      return { old: entry, facts: { kind: 'npm', version, integrity: entry.integrity, files } };
    }
    case 'python':
      return { old: entry, facts: { kind: 'python', version } };
    case 'git': {
      const { commit: pinned, tree, digest } = entry;
      return { old: entry, facts: { kind: 'git', version, commit: pinned, tree, digest } };
    }
    case 'action':
      return { old: entry, facts: { kind: 'action', version, commit: entry.commit } };
  }
}

/** The bytes of then, as they are served today; undefined where a kind has nothing more than presence to hold them by. */
function locked(facts: Facts): Readonly<Record<string, string>> | undefined {
  switch (facts.kind) {
    case 'image':
      return { digest: facts.digest };
    case 'release':
      return Object.fromEntries(facts.assets.map(({ name, digest }) => [name, digest]));
    case 'git':
      return { commit: facts.commit, tree: facts.tree, digest: facts.digest };
    case 'npm':
      return { integrity: facts.integrity };
    case 'action':
      return { commit: facts.commit };
    case 'python':
      return undefined;
  }
}

function differs(name: string, expected: string, found: string): AppError {
  return new AppError('bump/other-bytes', 'upstream', `${name} is no longer what it was`, {
    expected,
    found,
    hint: 'nothing was written: the upstream serves other bytes under the same version now; find out why',
  });
}

const targetOf = (pin: BumpablePin, candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.find(({ version }) => version === pin.version);

/** verified fetches the old version again, every architecture, and holds it against the facts of then. */
async function verified(sources: Sources, old: BumpablePin, facts: Facts): Promise<Resolved> {
  const resolver = await resolverOf(sources, old);
  const presence = await resolver.presence(old);
  // A tag that moves by nature names other bytes now; the old ones are still served by digest.
  if (presence.$case === 'gone')
    throw new AppError('bump/gone', 'upstream', `${old.name} ${old.version} is no longer there`, {
      found: presence.what,
      hint: 'choose a revision whose bytes are still served',
    });
  if (presence.$case === 'other') throw differs(old.name, presence.expected, presence.found);
  const evidence = [...old.evidence];
  if (facts.kind === 'image' && old.kind === 'image') {
    // The index is read by its digest, so what it says of the platforms is what was said then.
    const platformsOf = await readPlatforms(sources, old, old.digest, old.version);
    for (const platform of platforms) {
      const then = old.platforms[platform];
      if (then !== undefined && then !== platformsOf[platform])
        throw differs(`${old.name} ${platform}`, then, platformsOf[platform]);
    }
    const source = `${old.repository}@${old.digest}`;
    return {
      facts: { ...facts, platforms: platformsOf },
      evidence: [...evidence, evidenceOf(sources.host, 'registry-digest', source)],
    };
  }
  if (facts.kind !== 'release' && facts.kind !== 'git') return { facts, evidence };
  const wish = old.kind === 'git' ? old.commit : old.version;
  const candidates = await resolver.candidates(old, wish);
  const candidate = old.kind === 'git' ? candidates[0] : targetOf(old, candidates);
  if (candidate === undefined) throw differs(old.name, old.version, 'no such version');
  const again = await resolver.facts(old, candidate);
  const [then, now] = [locked(facts), locked(again.facts)];
  for (const [key, value] of Object.entries(then ?? {}))
    if (now?.[key] !== value) throw differs(`${old.name} ${key}`, value, now?.[key] ?? 'nothing');
  return {
    facts,
    evidence: [...evidence, evidenceOf(sources.host, 'own-hash', `restored from history and hashed again`)],
  };
}

/** restore gives a pin's facts as they were at a commit, verified against what the upstream serves today. */
export async function restore(sources: Sources, commit: string, pin: Pin): Promise<Resolved> {
  if (pin.kind === 'rpms')
    throw new AppError('bump/history', 'usage', `${pin.name} holds no version that could be restored`);
  const { old, facts } = await pinAt(sources.host, sources.root, commit, pin);
  return verified(sources, old, facts);
}
