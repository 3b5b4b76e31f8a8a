import { parseImageRef, type ImageRef } from '../../core/image-ref.ts';
import type { Digest, ImagePin } from '../../core/index.ts';
import { fromOciPlatform, platforms, type Platform } from '../../core/platform.ts';
import { hasRoom, isFloating, tagOfVersion, versionOfTag, type Candidate } from '../../pins/bump/index.ts';
import { settle } from '../../registry/resolve.ts';
import { fetchOnce, pageOf } from './image-page.ts';
import { evidenceOf, Incomplete, type Resolver, type Sources } from './resolver.ts';
import { tagsOf } from './tag-lists.ts';

function tagged(pin: ImagePin, version: string): ImageRef & { tag: string } {
  return { ...parseImageRef(pin.repository), tag: tagOfVersion(version, pin.policy.tag) };
}

/** readPlatforms takes each platform's digest out of an index that was held against its own. */
export async function readPlatforms(
  sources: Sources,
  pin: ImagePin,
  digest: Digest,
  version: string,
): Promise<Record<Platform, Digest>> {
  const { node } = await fetchOnce(sources, pin, digest);
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

/** Verifying is loaded for the pins that demand it. */
async function signatures(sources: Sources, pin: ImagePin, digest: Digest, version: string) {
  if (pin.policy.signed === undefined) return [];
  return (await import('./signatures.ts')).imageSignatures(sources, pin, digest, version);
}

async function lostSignature(sources: Sources, pin: ImagePin) {
  if (pin.policy.signed === undefined) return undefined;
  return (await import('./signatures.ts')).lostImageSignature(sources, pin);
}

/** imageResolver asks a registry: tags, HEAD (or GET) of a tag, the index for its platforms. */
export function imageResolver(sources: Sources): Resolver<ImagePin> {
  const { registry, host } = sources;
  const head = (ref: ImageRef) => settle(registry.resolve(ref));
  const identity = async (pin: ImagePin, { target }: Pick<Candidate, 'target'>): Promise<Digest | undefined> => {
    const answer = await head({ ...parseImageRef(pin.repository), tag: target });
    if (answer.$case === 'unknown') throw answer.error;
    return answer.$case === 'there' ? answer.descriptor.digest : undefined;
  };
  return {
    identity,
    async presence(pin) {
      const ref = tagged(pin, pin.version);
      const now = await identity(pin, { target: ref.tag });
      if (now === pin.digest) return (await lostSignature(sources, pin)) ?? { $case: 'there' };
      const source = `${pin.repository}:${ref.tag}`;
      if (now !== undefined && !isFloating(pin.version))
        return { $case: 'other', expected: pin.digest, found: now, source };
      const bytes = await head({ ...parseImageRef(pin.repository), digest: pin.digest });
      if (bytes.$case === 'unknown') throw bytes.error;
      if (bytes.$case === 'gone') return { $case: 'gone', what: `${pin.repository}@${pin.digest}` };
      // A tag that was taken away is a warning in time: the bytes are still served by digest.
      if (now === undefined) return { $case: 'gone', what: `the tag ${source} (its digest is still served)` };
      return { $case: 'moved', candidate: { version: pin.version, target: ref.tag, identity: now } };
    },
    async candidates(pin, version, fresh = false) {
      if (version !== undefined) {
        const target = tagOfVersion(version, pin.policy.tag);
        const digest = await identity(pin, { target });
        return digest === undefined ? [] : [{ version, target, identity: digest }];
      }
      if (!hasRoom(pin)) return [];
      return (await tagsOf(sources, pin, fresh)).flatMap((target) => {
        const found = versionOfTag(target, pin.policy.tag);
        return found === undefined ? [] : [{ version: found, target }];
      });
    },
    async facts(pin, candidate) {
      const digest = await identity(pin, candidate);
      if (digest === undefined) throw new Incomplete(`the tag ${candidate.target} is not there`);
      const source = `${pin.repository}:${candidate.target}`;
      const perPlatform = await readPlatforms(sources, pin, digest, candidate.version);
      const signed = await signatures(sources, pin, digest, candidate.version);
      const link = await pageOf(sources, pin, digest, perPlatform['linux/amd64']);
      return {
        ...(link === undefined ? {} : { link }),
        facts: { kind: 'image', version: candidate.version, digest, platforms: perPlatform },
        evidence: [evidenceOf(host, 'registry-digest', source), ...signed],
      };
    },
  };
}
