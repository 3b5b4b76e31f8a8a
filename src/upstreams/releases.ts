import { AppError, AppErrors } from '../errors/index.ts';
import {
  architectureOf,
  digestOf,
  platforms,
  releaseUrl,
  type Candidate,
  type Digest,
  type PinEvidence,
  type Platform,
  type Presence,
  type ReleaseAsset,
  type ReleasePin,
  type Resolved,
} from '../core/index.ts';
import { tagOfVersion, versionOfTag } from '../core/version.ts';
import { digestOfStream, maxChecksumBytes, parseChecksums } from '../checksums/index.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';
import type { GitHubReleases, Release } from './github.ts';
import { Disagreement, Incomplete, seen, type CandidateQuestion, type Upstream } from './types.ts';
import type { Web } from './web.ts';

/** Upper limit of one release asset, in bytes. */
const maxAssetBytes = 1024 * 1024 * 1024;
const checksumName = /(?:^|[_.-])(?:checksums?(?:\.txt)?|sha256sums?(?:\.txt)?)$|^checksums?[_.-].*\.txt$/i;

interface Asset {
  readonly platform: Platform;
  readonly name: string;
  readonly url: string;
}

/** What others state about the assets. */
interface Stated {
  readonly digests: ReadonlyMap<string, Digest>;
  readonly evidence: readonly PinEvidence[];
}

const assetsOf = (pin: ReleasePin, version: string): readonly Asset[] =>
  platforms.map((platform) => {
    const url = releaseUrl({ ...pin, version }, architectureOf(platform));
    return { platform, url, name: url.split('/').at(-1) ?? '' };
  });

const missingOf = (release: Release, assets: readonly Asset[]): readonly Asset[] =>
  assets.filter(({ name }) => !release.assets.some((asset) => asset.name === name));

const candidateOf = (version: string, release: Release): Candidate => ({
  version,
  target: release.tag,
  prerelease: release.prerelease,
  published: release.published,
  link: release.link,
});

/** A checksum file, when each of `names` has a well-formed line in it. Throws `bump/checksum-file`. */
function readChecksums(text: string, file: string, tag: string, names: readonly string[]): ReadonlyMap<string, Digest> {
  const bad = (found: string, cause?: unknown): AppError =>
    new UpstreamError('bump/checksum-file', 'upstream', `${tag}: the publisher's checksum file cannot be used`, {
      expected: `one well-formed line for each of ${names.join(', ')}`,
      found,
      where: { file },
      hint: 'nothing was changed; tell the publisher, or pin another version',
      cause,
    });
  let lines: ReturnType<typeof parseChecksums>;
  try {
    lines = parseChecksums(text, file);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const all = error instanceof AppErrors ? error.errors : [error];
    throw bad(all.map((one) => `line ${one.facts.where?.line ?? 0}: ${one.message}`).join('; '), error);
  }
  const missing = names.filter((name) => !lines.has(name));
  if (missing.length > 0) throw bad(`no line for ${missing.join(', ')}`);
  return new Map([...lines].map(([name, { digest }]) => [name, digest]));
}

/** ReleaseUpstream asks GitHub's releases API, the publisher's checksum file, and the bytes themselves. */
export class ReleaseUpstream implements Upstream<ReleasePin> {
  readonly #github: GitHubReleases;
  readonly #web: Web;
  readonly #answers: Answers;

  constructor(github: GitHubReleases, web: Web, answers: Answers) {
    this.#github = github;
    this.#web = web;
    this.#answers = answers;
  }

  async presence(pin: ReleasePin): Promise<Presence> {
    const release = await this.#find(pin, pin.version);
    if (release === undefined) return { $case: 'gone', what: `the release ${pin.version} of ${pin.repository}` };
    const assets = assetsOf(pin, pin.version);
    const missing = missingOf(release, assets);
    if (missing.length > 0) return { $case: 'gone', what: missing.map(({ name }) => name).join(', ') };
    const stated = await this.#stated(release, assets);
    for (const asset of assets) {
      const expected = pin.checksums[asset.platform];
      // Only where no source states a digest are the bytes fetched to answer this.
      const found = stated.digests.get(asset.name) ?? (await this.#hash(asset, stated)).digest;
      if (found !== expected) return { $case: 'other', expected, found, source: asset.url };
    }
    return { $case: 'there' };
  }

  async candidates(pin: ReleasePin, { version }: CandidateQuestion): Promise<readonly Candidate[]> {
    if (version !== undefined) {
      const release = await this.#find(pin, version);
      return release === undefined || release.draft ? [] : [candidateOf(version, release)];
    }
    return (await this.#github.list(pin.repository)).flatMap((release) => {
      const found = release.draft ? undefined : versionOfTag(release.tag, pin.policy.tag ?? 'v{version}');
      return found === undefined ? [] : [candidateOf(found, release)];
    });
  }

  /** A release has one digest for each of its assets, none of its own. */
  async identity(): Promise<undefined> {
    return undefined;
  }

  async facts(pin: ReleasePin, { version, target }: Candidate): Promise<Resolved> {
    const release = await this.#github.find(pin.repository, target);
    if (release === undefined) throw new Incomplete(`the release ${target} is not there`);
    const wanted = assetsOf(pin, version);
    const missing = missingOf(release, wanted);
    if (missing.length > 0) {
      const message = `${version} has no asset for ${missing.map(({ platform }) => platform).join(' and none for ')}`;
      throw new Incomplete(message, missing.map(({ name }) => name).join(', '));
    }
    const stated = await this.#stated(release, wanted);
    const assets = await Promise.all(wanted.map((asset) => this.#hash(asset, stated)));
    const bytes = assets.map(({ name, size }) => `${name} (${size} bytes)`).join(', ');
    return {
      facts: { kind: 'release', version, assets },
      evidence: [...stated.evidence, seen('own-hash', bytes)],
    };
  }

  #find({ repository, policy }: ReleasePin, version: string): Promise<Release | undefined> {
    return this.#github.find(repository, tagOfVersion(version, policy.tag ?? 'v{version}'));
  }

  /** What the API and the publisher's checksum file state, held against each other. */
  async #stated(release: Release, assets: readonly Asset[]): Promise<Stated> {
    const names = assets.map(({ name }) => name);
    const file = release.assets.find(({ name }) => checksumName.test(name));
    const published = file && readChecksums(await this.#checksumText(release, file), file.name, release.tag, names);
    const api = new Map(release.assets.map(({ name, digest }) => [name, digest]));
    const digests = new Map<string, Digest>();
    for (const name of names) {
      const [ours, theirs] = [published?.get(name), api.get(name)];
      if (ours !== undefined && theirs !== undefined && ours !== theirs)
        throw new Disagreement(name, `${ours} (publisher's checksum file)`, `${theirs} (API of the release)`);
      const digest = ours ?? theirs;
      if (digest !== undefined) digests.set(name, digest);
    }
    const evidence = file === undefined ? [] : [seen('publisher-checksum', file.url)];
    if (names.every((name) => api.get(name) !== undefined))
      evidence.push(seen('api-digest', release.link ?? `release ${release.tag}`));
    return { digests, evidence };
  }

  /** A file whose digest the API states need not be fetched twice, and has to have it. */
  async #checksumText(release: Release, { name, url, digest }: Release['assets'][number]): Promise<string> {
    const known = digest === undefined ? undefined : await this.#answers.content(digest);
    if (known !== undefined) return known;
    const text = await this.#web.text(url, {}, maxChecksumBytes);
    if (text === undefined) throw new Incomplete(`${release.tag}: the checksum file ${name} is not there`);
    const found = digestOf(text);
    if (digest !== undefined && found !== digest)
      throw new Disagreement(name, `${digest} (API of the release)`, `${found} (our own hash)`);
    if (digest !== undefined) await this.#answers.keepContent(text);
    return text;
  }

  /** Streams one asset of any architecture through our own SHA-256; nothing of it is kept or run. */
  async #hash({ platform, name, url }: Asset, stated: Stated): Promise<ReleaseAsset> {
    const hashed = await this.#web.read(url, {}, ({ body }) => digestOfStream(body, maxAssetBytes, url));
    if (hashed === undefined) throw new Incomplete(`${name} is announced and not there`, url);
    const expected = stated.digests.get(name);
    if (expected !== undefined && expected !== hashed.digest)
      throw new Disagreement(name, `${expected} (as published)`, `${hashed.digest} (our own hash of the download)`);
    return { platform, name, ...hashed };
  }
}
