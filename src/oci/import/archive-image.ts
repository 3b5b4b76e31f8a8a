import {
  blobPath,
  isAttestation,
  isIndexType,
  parseDockerArchive,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageConfig,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { digestMismatch } from '../verify.ts';
import type { Member } from './intake.ts';

/** ArchiveImage is the one image of an archive that is meant, its layers by member name. */
export interface ArchiveImage {
  readonly config: ImageConfig;
  /** The config as the engine wrote it: members that no type here knows are kept. */
  readonly configBytes: Buffer;
  readonly layers: readonly { readonly name: string; readonly digest?: Digest | undefined }[];
  /** What else the archive held and the layout will not: attestations, other platforms. */
  readonly ignored: readonly string[];
}

/** A platform object of a descriptor, or a config, which names its machine with the same members. */
export interface Machine {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

type Members = ReadonlyMap<string, Member<unknown>>;

function archiveError(
  message: string,
  facts: { expected?: string | undefined; found?: string | undefined } = {},
): AppError {
  return new AppError('oci/archive', 'upstream', message, {
    ...facts,
    hint: 'this is what the engine wrote: see its log, and build again',
  });
}

/** resolve follows links inside the archive: Docker's classic store links duplicate layers. */
export function resolve(members: Members, name: string): { name: string; member: Member<unknown> } {
  let at = name;
  for (let hops = 0; hops < 16; hops++) {
    const member = members.get(at);
    if (member === undefined) throw archiveError(`the archive lacks ${JSON.stringify(at.slice(0, 200))}`);
    if (member.$case !== 'link') return { name: at, member };
    at = member.target;
  }
  throw archiveError('the archive holds a loop of links', { found: name });
}

function document(members: Members, name: string, digest?: string): Buffer {
  const { member } = resolve(members, name);
  if (member.$case !== 'document') throw archiveError(`${name} in the archive is no document`);
  if (digest !== undefined && member.digest !== digest) throw digestMismatch(name, digest, member.digest);
  return member.bytes;
}

const describe = (platform: Machine | undefined): string =>
  platform === undefined
    ? 'no platform'
    : [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');

const sameMachine = (one: Machine, other: Machine): boolean =>
  one.os === other.os && one.architecture === other.architecture;

/** Every image manifest the archive's index leads to, nested indexes included. */
function manifests(members: Members, descriptors: readonly Descriptor[], depth = 0): Descriptor[] {
  if (depth > 4) throw archiveError('the archive nests indexes too deep');
  return descriptors.flatMap((descriptor) => {
    if (!isIndexType(descriptor.mediaType)) return [descriptor];
    const bytes = document(members, blobPath(descriptor.digest), descriptor.digest);
    return manifests(members, parseIndex(bytes).manifests, depth + 1);
  });
}

function fromOci(members: Members, wanted: Machine): ArchiveImage {
  const all = manifests(members, parseIndex(document(members, 'index.json'), 'index.json').manifests);
  const ignored: string[] = [];
  const found = new Map<string, ArchiveImage>();
  for (const descriptor of all) {
    if (isAttestation(descriptor)) {
      ignored.push(`attestation ${descriptor.digest}`);
      continue;
    }
    if (descriptor.platform !== undefined && !sameMachine(descriptor.platform, wanted)) {
      ignored.push(`${describe(descriptor.platform)} ${descriptor.digest}`);
      continue;
    }
    // Docker's containerd store lists platforms whose bytes it never fetched.
    if (!members.has(blobPath(descriptor.digest))) continue;
    const manifest = parseManifest(document(members, blobPath(descriptor.digest), descriptor.digest));
    const configBytes = document(members, blobPath(manifest.config.digest), manifest.config.digest);
    const config = parseImageConfig(configBytes);
    if (!sameMachine(config, wanted)) {
      ignored.push(`${describe(config)} ${descriptor.digest}`);
      continue;
    }
    const layers = manifest.layers.map(({ digest }) => ({ name: blobPath(digest), digest }));
    found.set(descriptor.digest, { config, configBytes, layers, ignored });
  }
  const [image, ...others] = found.values();
  if (image === undefined) {
    throw archiveError(`the archive holds no image for ${describe(wanted)}`, {
      found: ignored.join(', ') || 'no image',
    });
  }
  if (others.length > 0)
    throw archiveError('the archive holds several images', { found: [...found.keys()].join(', ') });
  return image;
}

function fromDocker(members: Members, wanted: Machine): ArchiveImage {
  const images = parseDockerArchive(document(members, 'manifest.json'), 'manifest.json');
  const [image, ...others] = images;
  if (image === undefined || others.length > 0) {
    throw archiveError('the archive must hold one image', { found: `${images.length} images` });
  }
  // Docker names the config by its own digest, which is the image's id.
  const id = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1];
  const configBytes = document(members, image.Config, id === undefined ? undefined : `sha256:${id}`);
  const config = parseImageConfig(configBytes);
  if (!sameMachine(config, wanted)) {
    throw archiveError('the archive holds an image for another platform', {
      expected: describe(wanted),
      found: describe(config),
    });
  }
  return { config, configBytes, layers: image.Layers.map((name) => ({ name })), ignored: [] };
}

/** findImage reads an archive of either format; where an engine writes both, the OCI one counts. */
export function findImage(members: Members, wanted: Machine): ArchiveImage {
  if (members.has('index.json')) return fromOci(members, wanted);
  if (members.has('manifest.json')) return fromDocker(members, wanted);
  throw archiveError('this is no image archive', {
    expected: 'index.json (OCI) or manifest.json (docker save) in it',
    found: [...members.keys()].slice(0, 5).join(', ') || 'nothing',
  });
}
