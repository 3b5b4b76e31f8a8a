import { relative } from 'node:path';
import type { AppError } from '../../errors/index.ts';
import type { BumpablePin, PinEvidence, Facts, Pin } from '../../core/index.ts';
import { Git, type Host } from '../../host/index.ts';
import type { Verdict } from '../../pins/bump/index.ts';
import type { Publishers, Upstream } from '../../upstreams/index.ts';
import { loadPinsAlone } from '../plan-definitions.ts';
import { BumpError } from './errors.ts';
import type { Judge } from './judge.ts';

/** findRevision returns the commit that a revision names, or the last one up to the end of a day (YYYY-MM-DD, UTC). */
export async function findRevision(host: Host, root: string, to: string): Promise<string> {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(to);
  const args = day
    ? ['rev-list', '-1', `--before=${to}T23:59:59Z`, 'HEAD']
    : ['rev-parse', '--verify', '--quiet', '--end-of-options', `${to}^{commit}`];
  const commit = (await new Git(host, { directory: root }).ask(args))?.trim();
  if (commit !== undefined && /^[0-9a-f]{40}$/.test(commit)) return commit;
  throw new BumpError('bump/revision', 'usage', day ? `no commit is as old as ${to}` : 'git knows no such revision', {
    expected: 'a commit, tag or branch, or a date YYYY-MM-DD',
    found: JSON.stringify(to.slice(0, 80)),
    hint: 'git log -- images/pins.yaml lists the bumps; a shallow clone needs git fetch --unshallow',
  });
}

/** fileAt returns a file of the project as a commit has it. Throws `bump/history`. */
export async function fileAt(host: Host, root: string, commit: string, path: string): Promise<string> {
  const text = await new Git(host, { directory: root }).ask(['show', `${commit}:./${path}`]);
  if (text !== undefined) return text;
  throw new BumpError('bump/history', 'usage', `${path} is not in ${commit.slice(0, 12)}`, {
    hint: 'choose a later revision',
  });
}

/** The pin as it was, read from the commit with the checksum files that belonged to it. */
async function pinAt(host: Host, root: string, commit: string, pin: BumpablePin): Promise<BumpablePin> {
  const readText = (path: string): Promise<string> => fileAt(host, root, commit, relative(root, path));
  const { pins } = await loadPinsAlone({ ...host, files: { ...host.files, readText } }, root);
  const old = pins.get(pin.name);
  if (old !== undefined && old.kind !== 'rpms' && old.kind === pin.kind) return old;
  throw new BumpError('bump/history', 'usage', `${pin.name} was no ${pin.kind} pin in ${commit.slice(0, 12)}`, {
    found: old?.kind ?? 'no such pin',
  });
}

function differs(name: string, expected: string, found: string): AppError {
  return new BumpError('bump/other-bytes', 'upstream', `${name} is no longer what it was`, {
    expected,
    found,
    hint: 'nothing was written: the upstream serves other bytes under the same version now; find out why',
  });
}

/** What was locked then has to be what is served now; what was not known then cannot differ. */
function hold(
  { name }: BumpablePin,
  then: Readonly<Record<string, string | undefined>>,
  now: Readonly<Record<string, unknown>>,
): void {
  for (const [key, expected] of Object.entries(then)) {
    const found = now[key];
    if (expected !== undefined && found !== expected)
      throw differs(`${name} ${key}`, expected, typeof found === 'string' ? found : 'nothing');
  }
}

/** Every fact of the version that was wanted then, resolved and hashed anew. */
async function again<P extends BumpablePin>(upstream: Upstream<P>, old: P, wanted: string) {
  const candidates = await upstream.candidates(old, { version: wanted, fresh: true });
  const candidate = candidates.find(({ version }) => version === wanted);
  if (candidate === undefined) throw differs(old.name, old.version, 'no such version');
  return (await upstream.facts(old, candidate)).facts;
}

/** History restores pins as they were at a commit, verified against what their upstreams serve today. */
export class History {
  readonly #host: Host;
  readonly #root: string;
  readonly #commit: string;
  readonly #upstreams: Publishers['upstreams'];
  readonly #judge: Judge;

  constructor(host: Host, root: string, commit: string, upstreams: Publishers['upstreams'], judge: Judge) {
    this.#host = host;
    this.#root = root;
    this.#commit = commit;
    this.#upstreams = upstreams;
    this.#judge = judge;
  }

  /** restore returns the verdict that brings a pin back. Throws `bump/gone`, `bump/other-bytes`, `bump/history`. */
  async restore(pin: Pin): Promise<Verdict> {
    if (pin.kind === 'rpms')
      throw new BumpError('bump/history', 'usage', `${pin.name} holds no version that could be restored`);
    const old = await pinAt(this.#host, this.#root, this.#commit, pin);
    const presence = await this.#judge.presence(old);
    // A tag that moves by nature names other bytes now; the old ones are still served by digest.
    if (presence.$case === 'gone')
      throw new BumpError('bump/gone', 'upstream', `${old.name} ${old.version} is no longer there`, {
        found: presence.what,
        hint: 'choose a revision whose bytes are still served',
      });
    if (presence.$case === 'other') throw differs(old.name, presence.expected, presence.found);
    const { version } = old;
    const facts = await this.#facts(old);
    const resolved = { facts, evidence: [...old.evidence, ...this.#evidence(old)] };
    return { $case: 'due', to: { version, target: version }, resolved, held: [] };
  }

  /** The facts of then. Bytes that a kind is pinned by are asked for again; presence has proved the other kinds. */
  async #facts(old: BumpablePin): Promise<Facts> {
    const { version } = old;
    switch (old.kind) {
      case 'image': {
        // The index is read by its digest, so what it says of the platforms is what was said then.
        const { kind, digest, repository } = old;
        const now = await this.#upstreams.image.platforms(repository, digest, version);
        hold(old, old.platforms, now);
        return { kind, version, digest, platforms: now };
      }
      case 'release': {
        const facts = await again(this.#upstreams.release, old, version);
        const assets = facts.kind === 'release' ? facts.assets : [];
        hold(old, old.checksums, Object.fromEntries(assets.map(({ platform, digest }) => [platform, digest])));
        return facts;
      }
      case 'git': {
        const { kind, commit, tree, digest } = old;
        hold(old, { commit, tree, digest }, await again(this.#upstreams.git, old, commit));
        return { kind, version, commit, tree, digest };
      }
      case 'npm': {
        const [host, root, commit] = [this.#host, this.#root, this.#commit];
        const files = {
          'package.json': await fileAt(host, root, commit, `${old.lock}/package.json`),
          'package-lock.json': await fileAt(host, root, commit, `${old.lock}/package-lock.json`),
        };
        return { kind: old.kind, version, integrity: old.integrity, files };
      }
      case 'python':
        return { kind: old.kind, version };
      case 'action':
        return { kind: old.kind, version, commit: old.commit };
    }
  }

  #evidence(old: BumpablePin): readonly PinEvidence[] {
    const seen = this.#host.clock.now().toISOString().slice(0, 10);
    if (old.kind === 'image') return [{ kind: 'registry-digest', source: `${old.repository}@${old.digest}`, seen }];
    if (old.kind !== 'release' && old.kind !== 'git') return [];
    return [{ kind: 'own-hash', source: 'restored from history and hashed again', seen }];
  }
}
