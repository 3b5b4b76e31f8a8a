import { AppError } from '../errors/index.ts';
import {
  collectBytes,
  fromOciPlatform,
  parseImageConfig,
  parseImageRef,
  platforms,
  type Candidate,
  type Digest,
  type ImagePin,
  type ImageRef,
  type Mirrors,
  type Platform,
  type Presence,
  type Resolved,
} from '../core/index.ts';
import { isFloating, tagOfVersion, versionOfTag } from '../core/version.ts';
import type { Host } from '../host/index.ts';
import type { Fetched, Registry } from '../registry/index.ts';
import { formatRepository, mirrored } from '../registry/repository.ts';
import { settle } from '../registry/resolve.ts';
import type { Answers } from './answers.ts';
import { pageOfImage } from './links.ts';
import { Incomplete, seen, type CandidateQuestion, type Upstream } from './types.ts';

/** Upper limit of an image's configuration, in bytes. */
const maxConfigBytes = 4 * 1024 * 1024;
/** How long a list of tags is taken as it was read, in milliseconds. */
const anHour = 60 * 60 * 1000;

/** ImageUpstream asks a registry: tags, HEAD (or GET) of a tag, the index for its platforms. */
export class ImageUpstream implements Upstream<ImagePin> {
  readonly #host: Host;
  readonly #registry: Registry;
  readonly #mirrors: Mirrors;
  readonly #answers: Answers;

  constructor(host: Host, registry: Registry, mirrors: Mirrors, answers: Answers) {
    this.#host = host;
    this.#registry = registry;
    this.#mirrors = mirrors;
    this.#answers = answers;
  }

  async presence(pin: ImagePin): Promise<Presence> {
    const tag = tagOfVersion(pin.version, pin.policy.tag);
    const now = await this.#head({ ...parseImageRef(pin.repository), tag });
    if (now === pin.digest) return { $case: 'there' };
    const source = `${pin.repository}:${tag}`;
    if (now !== undefined && !isFloating(pin.version))
      return { $case: 'other', expected: pin.digest, found: now, source };
    const bytes = await this.#head({ ...parseImageRef(pin.repository), digest: pin.digest });
    if (bytes === undefined) return { $case: 'gone', what: `${pin.repository}@${pin.digest}` };
    // A tag that was taken away is a warning in time: the bytes are still served by digest.
    if (now === undefined) return { $case: 'gone', what: `the tag ${source} (its digest is still served)` };
    return { $case: 'moved', candidate: { version: pin.version, target: tag, identity: now } };
  }

  async candidates(pin: ImagePin, { version, fresh }: CandidateQuestion): Promise<readonly Candidate[]> {
    if (version !== undefined) {
      const target = tagOfVersion(version, pin.policy.tag);
      const identity = await this.identity(pin, { version, target });
      return identity === undefined ? [] : [{ version, target, identity }];
    }
    return (await this.#tags(pin.repository, fresh)).flatMap((target) => {
      const found = versionOfTag(target, pin.policy.tag);
      return found === undefined ? [] : [{ version: found, target }];
    });
  }

  identity(pin: ImagePin, { target }: Candidate): Promise<Digest | undefined> {
    return this.#head({ ...parseImageRef(pin.repository), tag: target });
  }

  async facts(pin: ImagePin, candidate: Candidate): Promise<Resolved> {
    const { version, target } = candidate;
    const digest = await this.identity(pin, candidate);
    if (digest === undefined) throw new Incomplete(`the tag ${target} is not there`);
    const perPlatform = await this.platforms(pin.repository, digest, version);
    return {
      facts: { kind: 'image', version, digest, platforms: perPlatform },
      evidence: [seen('registry-digest', `${pin.repository}:${target}`)],
      link: await this.#page(pin.repository, digest, perPlatform['linux/amd64']),
    };
  }

  /** platforms returns each platform's digest out of an index that was held against its own. Throws Incomplete. */
  async platforms(repository: string, digest: Digest, version: string): Promise<Record<Platform, Digest>> {
    const { node } = await this.#manifest(repository, digest);
    if (node.$case !== 'index')
      throw new Incomplete(`${version} is one manifest for one platform`, `${digest}, ${node.mediaType}`);
    const found: Partial<Record<Platform, Digest>> = {};
    for (const child of node.children) {
      const platform = fromOciPlatform(child.platform);
      if (platform !== undefined) found[platform] ??= child.digest;
    }
    const missing = platforms.filter((platform) => found[platform] === undefined);
    if (missing.length > 0) throw new Incomplete(`${version} has no ${missing.join(' and no ')}`, digest);
    return found as Record<Platform, Digest>;
  }

  async #head(ref: ImageRef): Promise<Digest | undefined> {
    const answer = await settle(this.#registry.resolve(ref));
    if (answer.$case === 'unknown') throw answer.error;
    return answer.$case === 'there' ? answer.descriptor.digest : undefined;
  }

  #manifest(repository: string, digest: Digest): Promise<Fetched> {
    return this.#answers.once(`manifest ${repository}@${digest}`, () =>
      this.#registry.manifest({ ...parseImageRef(repository), digest }),
    );
  }

  /** The tags of a repository, of this moment or (not `fresh`) of the last hour. */
  #tags(repository: string, fresh: boolean): Promise<readonly string[]> {
    const ref = parseImageRef(repository);
    const key = `tags of ${formatRepository(mirrored(ref, this.#mirrors.images))}`;
    return this.#answers.once(`${key}, ${fresh ? 'now' : 'of the last hour'}`, async () => {
      const known = fresh ? undefined : await this.#answers.recall(key);
      // A clock that was set back makes it none.
      const age = known === undefined ? -1 : this.#host.clock.now().getTime() - known.at;
      if (known !== undefined && age >= 0 && age < anHour) {
        const minutes = Math.floor(age / 60_000);
        const when = `tags as they were ${minutes} min ago; asked again after an hour, or with --now`;
        this.#host.progress.say(`${repository}: ${when}`);
        return JSON.parse(known.text) as readonly string[];
      }
      const tags = await this.#registry.tags(ref);
      await this.#answers.note(key, JSON.stringify(tags));
      return tags;
    });
  }

  /**
   * The page that the publisher names for an image: in the index's annotations, in those of one image, or in its
   * labels. It is for the reviewer alone, so what cannot be read is no page, and no obstacle.
   */
  async #page(repository: string, index: Digest, image: Digest): Promise<string | undefined> {
    try {
      const named = pageOfImage((await this.#manifest(repository, index)).node.annotations);
      if (named !== undefined) return named;
      const { node } = await this.#manifest(repository, image);
      const own = pageOfImage(node.annotations);
      const [config] = node.blobs;
      if (own !== undefined || config === undefined || config.size > maxConfigBytes) return own;
      const bytes = await collectBytes(this.#registry.blob(parseImageRef(repository), config), maxConfigBytes);
      return pageOfImage(bytes === undefined ? {} : (parseImageConfig(bytes).config?.Labels ?? {}));
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }
}
