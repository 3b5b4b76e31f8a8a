import { AppError, AppErrors } from '../../errors/index.ts';
import {
  architectureOf,
  digestOf,
  platforms,
  type Digest,
  type Evidence,
  type Platform,
  type ReleasePin,
} from '../../core/index.ts';
import { digestOfStream, maxChecksumBytes, parseChecksums } from '../../checksums/index.ts';
import { releaseUrl } from '../../dockerfile/render-values.ts';
import { tagOfVersion, versionOfTag, type Candidate, type Presence, type ReleaseAsset } from '../../pins/bump/index.ts';
import { findRelease, listReleases, type Release } from './github.ts';
import type { Subject } from './signatures.ts';
import { Disagreement, evidenceOf, Incomplete, type Resolver, type Sources } from './resolver.ts';

/** Upper limit of one release asset, in bytes. */
const maxAssetBytes = 1024 * 1024 * 1024;
const checksumName = /(?:^|[_.-])(?:checksums?(?:\.txt)?|sha256sums?(?:\.txt)?)$|^checksums?[_.-].*\.txt$/i;

interface Wanted {
  readonly platform: Platform;
  readonly name: string;
  readonly url: string;
}

function wanted(pin: ReleasePin, version: string): readonly Wanted[] {
  return platforms.map((platform) => {
    const url = releaseUrl({ ...pin, version }, architectureOf(platform));
    return { platform, url, name: url.split('/').at(-1) ?? '' };
  });
}

/** checksumText reads the file; one whose digest the API states need not be fetched twice, and has to have it. */
async function checksumText(
  { web, answers }: Sources,
  { name, url, digest }: Release['assets'][number],
): Promise<string | undefined> {
  const known = digest === undefined ? undefined : await answers?.content(digest);
  if (known !== undefined) return known;
  const text = await web.text(url, {}, maxChecksumBytes);
  if (text === undefined || digest === undefined) return text;
  const found = digestOf(text);
  if (found !== digest) throw new Disagreement(name, `${digest} (API of the release)`, `${found} (our own hash)`);
  await answers?.keep(text);
  return text;
}

/** publisherChecksums reads the checksum file among a release's assets; undefined when there is none. */
async function publisherChecksums(
  sources: Sources,
  release: Release,
  names: readonly string[],
): Promise<{ readonly url: string; readonly digests: ReadonlyMap<string, Digest> } | undefined> {
  const file = release.assets.find(({ name }) => checksumName.test(name));
  if (file === undefined) return undefined;
  const text = await checksumText(sources, file);
  if (text === undefined) throw new Incomplete(`${release.tag}: the checksum file ${file.name} is not there`);
  const bad = (cause: unknown, found: string): AppError =>
    new AppError('bump/checksum-file', 'upstream', `${release.tag}: the publisher's checksum file cannot be used`, {
      expected: `one well-formed line for each of ${names.join(', ')}`,
      found,
      where: { file: file.name },
      hint: 'nothing was changed; tell the publisher, or pin another version',
      cause,
    });
  try {
    const lines = parseChecksums(text, file.name);
    const missing = names.filter((name) => !lines.has(name));
    if (missing.length > 0) throw bad(undefined, `no line for ${missing.join(', ')}`);
    return { url: file.url, digests: new Map([...lines].map(([name, line]) => [name, line.digest])) };
  } catch (error) {
    if (error instanceof AppErrors)
      throw bad(error, error.errors.map((one) => `line ${one.facts.where?.line ?? 0}: ${one.message}`).join('; '));
    if (error instanceof AppError && error.code.startsWith('checksums/'))
      throw bad(error, `line ${error.facts.where?.line ?? 0}: ${error.message}`);
    throw error;
  }
}

interface Stated {
  readonly digests: ReadonlyMap<string, Digest>;
  readonly evidence: readonly Evidence[];
}

/** stated gathers what others say about the assets, and holds the two sources against each other. */
async function stated(sources: Sources, release: Release, assets: readonly Wanted[]): Promise<Stated> {
  const names = assets.map(({ name }) => name);
  const publisher = await publisherChecksums(sources, release, names);
  const digests = new Map<string, Digest>();
  let fromApi = 0;
  for (const name of names) {
    const api = release.assets.find((asset) => asset.name === name)?.digest;
    const file = publisher?.digests.get(name);
    if (api !== undefined) fromApi += 1;
    if (api !== undefined && file !== undefined && api !== file)
      throw new Disagreement(name, `${file} (publisher's checksum file)`, `${api} (API of the release)`);
    const digest = file ?? api;
    if (digest !== undefined) digests.set(name, digest);
  }
  const evidence: Evidence[] = [];
  if (publisher !== undefined) evidence.push(evidenceOf(sources.host, 'publisher-checksum', publisher.url));
  if (fromApi === names.length)
    evidence.push(evidenceOf(sources.host, 'api-digest', release.link ?? `release ${release.tag}`));
  return { digests, evidence };
}

/** hashAsset streams one asset of any architecture through our own SHA-256; nothing of it is kept or run. */
async function hashAsset({ web }: Sources, { platform, name, url }: Wanted): Promise<ReleaseAsset> {
  const hashed = await web.read(url, {}, ({ body }) => digestOfStream(body, maxAssetBytes, url));
  if (hashed === undefined) throw new Incomplete(`${name} is announced and not there`, url);
  return { platform, name, ...hashed };
}

async function hashAll(sources: Sources, assets: readonly Wanted[], said: Stated): Promise<readonly ReleaseAsset[]> {
  const hashed = await Promise.all(assets.map((asset) => hashAsset(sources, asset)));
  for (const { name, digest } of hashed) {
    const expected = said.digests.get(name);
    if (expected !== undefined && expected !== digest)
      throw new Disagreement(name, `${expected} (as published)`, `${digest} (our own hash of the download)`);
  }
  return hashed;
}

function complete(pin: ReleasePin, release: Release, version: string): readonly Wanted[] {
  const assets = wanted(pin, version);
  const missing = assets.filter(({ name }) => !release.assets.some((asset) => asset.name === name));
  if (missing.length === 0) return assets;
  throw new Incomplete(
    `${version} has no asset for ${missing.map(({ platform }) => platform).join(' and none for ')}`,
    missing.map(({ name }) => name).join(', '),
  );
}

/** Verifying is loaded for the pins that demand it. */
async function attestations(sources: Sources, pin: ReleasePin, subjects: readonly Subject[], version: string) {
  if (pin.policy.signed === undefined) return [];
  return (await import('./signatures.ts')).assetAttestations(sources, pin, subjects, version);
}

async function lostAttestation(sources: Sources, pin: ReleasePin, subjects: readonly Subject[]) {
  if (pin.policy.signed === undefined) return undefined;
  return (await import('./signatures.ts')).lostAssetAttestation(sources, pin, subjects);
}

const toCandidate = (version: string, release: Release): Candidate => ({
  version,
  target: release.tag,
  prerelease: release.prerelease,
  ...(release.published === undefined ? {} : { published: release.published }),
  ...(release.link === undefined ? {} : { link: release.link }),
});

/** releaseResolver asks GitHub's releases API, the publisher's checksum file, and the bytes themselves. */
export function releaseResolver(sources: Sources): Resolver<ReleasePin> {
  const patternOf = (pin: ReleasePin): string => pin.policy.tag ?? 'v{version}';
  return {
    identity: async () => undefined,
    async presence(pin): Promise<Presence> {
      const release = await findRelease(sources, pin.repository, tagOfVersion(pin.version, patternOf(pin)));
      if (release === undefined) return { $case: 'gone', what: `the release ${pin.version} of ${pin.repository}` };
      const assets = wanted(pin, pin.version);
      const missing = assets.filter(({ name }) => !release.assets.some((asset) => asset.name === name));
      if (missing.length > 0) return { $case: 'gone', what: missing.map(({ name }) => name).join(', ') };
      const said = await stated(sources, release, assets);
      // Only where nobody states a digest are the bytes fetched to answer this.
      const silent = assets.filter(({ name }) => !said.digests.has(name));
      const own = await hashAll(sources, silent, said);
      for (const { platform, name, url } of assets) {
        const found = said.digests.get(name) ?? own.find((asset) => asset.name === name)?.digest;
        if (found !== undefined && found !== pin.checksums[platform])
          return { $case: 'other', expected: pin.checksums[platform], found, source: url };
      }
      const pinned = assets.map(({ platform, name }) => ({ platform, name, digest: pin.checksums[platform] }));
      return (await lostAttestation(sources, pin, pinned)) ?? { $case: 'there' };
    },
    async candidates(pin, version) {
      if (version !== undefined) {
        const release = await findRelease(sources, pin.repository, tagOfVersion(version, patternOf(pin)));
        return release === undefined || release.draft ? [] : [toCandidate(version, release)];
      }
      return (await listReleases(sources, pin.repository)).flatMap((release) => {
        const found = release.draft ? undefined : versionOfTag(release.tag, patternOf(pin));
        return found === undefined ? [] : [toCandidate(found, release)];
      });
    },
    async facts(pin, candidate) {
      const release = await findRelease(sources, pin.repository, candidate.target);
      if (release === undefined) throw new Incomplete(`the release ${candidate.target} is not there`);
      const assets = complete(pin, release, candidate.version);
      const said = await stated(sources, release, assets);
      const hashed = await hashAll(sources, assets, said);
      const signed = await attestations(sources, pin, hashed, candidate.version);
      const bytes = hashed.map(({ name, size }) => `${name} (${size} bytes)`).join(', ');
      return {
        facts: { kind: 'release', version: candidate.version, assets: hashed },
        evidence: [...said.evidence, evidenceOf(sources.host, 'own-hash', bytes), ...signed],
      };
    },
  };
}
