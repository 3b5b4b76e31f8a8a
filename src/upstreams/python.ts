import * as z from 'zod';
import {
  parseImageRef,
  platforms,
  type BumpablePin,
  type Candidate,
  type Pin,
  type Platform,
  type Presence,
  type PythonPin,
  type Resolved,
} from '../core/index.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';
import { Incomplete, seen, type Upstream } from './types.ts';
import type { Web } from './web.ts';

const schema = z.record(
  z.string(),
  z.object({
    name: z.string(),
    /** A word in older versions of uv, an object with a family in newer ones. */
    arch: z.union([z.string(), z.object({ family: z.string(), variant: z.string().nullish() })]),
    os: z.string(),
    libc: z.string(),
    major: z.number(),
    minor: z.number(),
    patch: z.number(),
    prerelease: z.string().nullish(),
    variant: z.string().nullish(),
    url: z.string(),
    sha256: z.string().nullish(),
  }),
);
type Entry = z.infer<typeof schema>[string];

interface Build {
  readonly prerelease: boolean;
  readonly platforms: Set<Platform>;
  /** ISO date of the build, as its archive's address says. */
  readonly published: string | undefined;
  /** Page of the release that the archive belongs to. */
  readonly link: string | undefined;
}

interface Builds {
  /** By version. */
  readonly builds: ReadonlyMap<string, Build>;
  /** Where they are listed, for people. */
  readonly source: string;
}

const platformOf: Readonly<Record<string, Platform>> = { x86_64: 'linux/amd64', aarch64: 'linux/arm64' };

/** The platform of an archive that uv installs and verifies for our images, if it is one. */
function platformOfEntry({ name, arch, os, libc, sha256, variant }: Entry): Platform | undefined {
  const family = typeof arch === 'string' ? arch : arch.variant == null ? arch.family : '';
  if (name !== 'cpython' || os !== 'linux' || libc !== 'gnu') return undefined;
  // Without a checksum uv would install unverified; freethreaded and debug builds are other programs.
  return sha256 == null || (variant != null && variant !== '') ? undefined : platformOf[family];
}

function readBuilds(entries: Readonly<Record<string, Entry>>): ReadonlyMap<string, Build> {
  const builds = new Map<string, Build>();
  for (const entry of Object.values(entries)) {
    const platform = platformOfEntry(entry);
    if (platform === undefined) continue;
    const prerelease = entry.prerelease ?? '';
    const version = `${entry.major}.${entry.minor}.${entry.patch}${prerelease}`;
    const [, project, tag] =
      /^(https:\/\/github\.com\/[\w.-]+\/[\w.-]+)\/releases\/download\/(\d{8})\//.exec(entry.url) ?? [];
    const [, year, month, day] = /\/download\/(\d{4})(\d{2})(\d{2})\//.exec(entry.url) ?? [];
    builds.set(version, {
      prerelease: prerelease !== '',
      platforms: new Set([...(builds.get(version)?.platforms ?? []), platform]),
      published: year && month && day ? `${year}-${month}-${day}` : undefined,
      link: project && tag ? `${project}/releases/tag/${tag}` : undefined,
    });
  }
  return builds;
}

const missingOf = ({ builds }: Builds, version: string): readonly Platform[] =>
  platforms.filter((platform) => builds.get(version)?.platforms.has(platform) !== true);

/**
 * PythonUpstream reads the list of Pythons that the pinned uv carries (crates/uv-python in uv's
 * source, at the tag of the pinned version): nothing else can be installed by that uv. The archives'
 * hashes are uv's own, and uv is pinned by digest; they are not taken over as facts of this pin.
 */
export class PythonUpstream implements Upstream<PythonPin> {
  readonly #web: Web;
  readonly #answers: Answers;
  readonly #pins: ReadonlyMap<string, Pin>;

  /** `pins` are all of them: a Python is known to the uv that installs it. */
  constructor(web: Web, answers: Answers, pins: ReadonlyMap<string, Pin>) {
    this.#web = web;
    this.#answers = answers;
    this.#pins = pins;
  }

  async presence(pin: PythonPin): Promise<Presence> {
    const known = await this.#builds(pin);
    const missing = missingOf(known, pin.version);
    if (missing.length === 0) return { $case: 'there' };
    return { $case: 'gone', what: `Python ${pin.version} for ${missing.join(', ')} in ${known.source}` };
  }

  async candidates(pin: PythonPin): Promise<readonly Candidate[]> {
    const { builds } = await this.#builds(pin);
    return [...builds].map(([version, { prerelease, published, link }]) => ({
      version,
      target: version,
      prerelease,
      published,
      link,
    }));
  }

  /** The archives' digests are uv's. */
  async identity(): Promise<undefined> {
    return undefined;
  }

  async facts(pin: PythonPin, { version }: Candidate): Promise<Resolved> {
    const known = await this.#builds(pin);
    const missing = missingOf(known, version);
    if (missing.length > 0)
      throw new Incomplete(`${version} has no build for ${missing.join(', ')} in ${known.source}`);
    return {
      facts: { kind: 'python', version },
      evidence: [seen('publisher-checksum', `list of Pythons in ${known.source}`)],
    };
  }

  async #builds(pin: PythonPin): Promise<Builds> {
    const uv = this.#pins.get(pin.installedBy) as BumpablePin | undefined;
    if (uv?.kind !== 'image' || parseImageRef(uv.repository).repository !== 'astral-sh/uv')
      throw new UpstreamError('bump/python', 'upstream', `nothing lists which Pythons ${pin.installedBy} can install`, {
        expected: 'installedBy to name a pin of astral-sh/uv, whose source lists them',
        hint: `change ${pin.name} by hand and build it`,
      });
    const source = `astral-sh/uv ${uv.version}`;
    const url = `https://raw.githubusercontent.com/astral-sh/uv/${uv.version}/crates/uv-python/download-metadata.json`;
    return this.#answers.once(url, async () => {
      const value = await this.#web.json(url, { remember: true });
      const parsed = schema.safeParse(value);
      if (parsed.success) return { builds: readBuilds(parsed.data), source };
      throw new UpstreamError('bump/python', 'upstream', `the list of Pythons of ${source} cannot be read`, {
        expected: url,
        found: value === undefined ? 'not found' : 'another shape than this tool knows',
      });
    });
  }
}
