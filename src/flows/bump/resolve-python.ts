import * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import { parseImageRef, platforms, type Platform, type PythonPin } from '../../core/index.ts';
import { evidenceOf, Incomplete, type Resolver, type Sources } from './resolver.ts';

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

interface Build {
  readonly version: string;
  readonly prerelease: boolean;
  readonly platforms: ReadonlySet<Platform>;
  /** ISO date of the build, as its archive's address says. */
  readonly published?: string;
  /** Page of the release that the archive belongs to. */
  readonly link?: string;
}

const platformOf: Readonly<Record<string, Platform>> = { x86_64: 'linux/amd64', aarch64: 'linux/arm64' };

function readBuilds(raw: z.infer<typeof schema>): ReadonlyMap<string, Build> {
  const builds = new Map<string, Build>();
  for (const one of Object.values(raw)) {
    const family = typeof one.arch === 'string' ? one.arch : one.arch.variant == null ? one.arch.family : '';
    const platform = platformOf[family];
    if (one.name !== 'cpython' || one.os !== 'linux' || one.libc !== 'gnu' || platform === undefined) continue;
    // Without a checksum uv would install unverified; freethreaded and debug builds are other programs.
    if (one.sha256 == null || (one.variant != null && one.variant !== '')) continue;
    const prerelease = one.prerelease ?? '';
    const version = `${one.major}.${one.minor}.${one.patch}${prerelease}`;
    const [, year, month, day] = /\/download\/(\d{4})(\d{2})(\d{2})\//.exec(one.url) ?? [];
    const [, project, tag] =
      /^(https:\/\/github\.com\/[\w.-]+\/[\w.-]+)\/releases\/download\/(\d{8})\//.exec(one.url) ?? [];
    const known = builds.get(version);
    builds.set(version, {
      version,
      prerelease: prerelease !== '',
      platforms: new Set([...(known?.platforms ?? []), platform]),
      ...(year === undefined ? {} : { published: `${year}-${month ?? ''}-${day ?? ''}` }),
      ...(project === undefined || tag === undefined ? {} : { link: `${project}/releases/tag/${tag}` }),
    });
  }
  return builds;
}

/**
 * pythonResolver reads the list of Pythons that the pinned uv carries (crates/uv-python in uv's
 * source, at the tag of the pinned version): nothing else can be installed by that uv. The archives'
 * hashes are uv's own, and uv is pinned by digest; they are not taken over as facts of this pin.
 */
export function pythonResolver(sources: Sources): Resolver<PythonPin> {
  const known = async (pin: PythonPin): Promise<{ builds: ReadonlyMap<string, Build>; source: string }> => {
    const uv = sources.pins.get(pin.installedBy);
    if (uv?.kind !== 'image' || parseImageRef(uv.repository).repository !== 'astral-sh/uv')
      throw new AppError('bump/python', 'upstream', `nobody says which Pythons ${pin.installedBy} can install`, {
        expected: 'installedBy to name a pin of astral-sh/uv, whose source lists them',
        hint: `change ${pin.name} by hand and build it`,
      });
    const source = `astral-sh/uv ${uv.version}`;
    const url = `https://raw.githubusercontent.com/astral-sh/uv/${uv.version}/crates/uv-python/download-metadata.json`;
    return sources.once(url, async () => {
      const value = await sources.web.json(url, { remember: true });
      const parsed = schema.safeParse(value);
      if (value === undefined || !parsed.success)
        throw new AppError('bump/python', 'upstream', `the list of Pythons of ${source} cannot be read`, {
          expected: url,
          found: value === undefined ? 'not found' : 'another shape than this tool knows',
        });
      return { builds: readBuilds(parsed.data), source };
    });
  };
  return {
    identity: async () => undefined,
    async presence(pin) {
      const { builds, source } = await known(pin);
      const build = builds.get(pin.version);
      const missing = platforms.filter((platform) => build?.platforms.has(platform) !== true);
      if (missing.length === 0) return { $case: 'there' };
      return { $case: 'gone', what: `Python ${pin.version} for ${missing.join(', ')} in ${source}` };
    },
    async candidates(pin) {
      const { builds } = await known(pin);
      return [...builds.values()].map(({ version, prerelease, published, link }) => ({
        version,
        target: version,
        prerelease,
        ...(published === undefined ? {} : { published }),
        ...(link === undefined ? {} : { link }),
      }));
    },
    async facts(pin, { version }) {
      const { builds, source } = await known(pin);
      const missing = platforms.filter((platform) => builds.get(version)?.platforms.has(platform) !== true);
      if (missing.length > 0) throw new Incomplete(`${version} has no build for ${missing.join(', ')} in ${source}`);
      return {
        facts: { kind: 'python', version },
        evidence: [evidenceOf(sources.host, 'publisher-checksum', `list of Pythons in ${source}`)],
      };
    },
  };
}
