import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  blobPath,
  digestOf,
  layoutShape,
  maxManifestBytes,
  mediaTypes,
  parseDockerArchive,
  parseImageConfig,
  parseIndex,
  readJson,
  type Descriptor,
  type DockerArchiveImage,
  type Digest,
  type Index,
  type Manifest,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { sniff } from '../decompress.ts';
import { digestMismatch } from '../verify.ts';
import type { ArchiveIndex, Span } from './archive-index.ts';
import { pick } from './pick.ts';
import type { ImageSource } from './source.ts';

async function document(archive: ArchiveIndex, name: string): Promise<Buffer> {
  const span = archive.span(name);
  if (span.size > maxManifestBytes) {
    throw new AppError('oci/too-large', 'upstream', `${name} in ${archive.name} is too large`, {
      expected: `at most ${maxManifestBytes} bytes`,
      found: `${span.size} bytes`,
    });
  }
  return readSpan(archive, span);
}

async function readSpan(archive: ArchiveIndex, span: Span): Promise<Buffer> {
  if (span.size === 0) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  for await (const part of archive.read(span)) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The place of a member, for errors. */
const inside = (path: string, member: string): string => `${path}!${member}`;

/** ociArchiveSource reads an OCI layout inside a tar; `ref` names one of its images. */
export async function ociArchiveSource(archive: ArchiveIndex, ref: string | undefined): Promise<ImageSource> {
  const { name: path } = archive;
  const index: Index = parseIndex(await document(archive, 'index.json'), inside(path, 'index.json'));
  if (archive.has('oci-layout'))
    readJson(await document(archive, 'oci-layout'), 'oci-layout', {
      shape: layoutShape,
      file: inside(path, 'oci-layout'),
    });
  const name = `oci-archive:${path}`;
  return {
    name,
    root: async () => pick(index, ref, name),
    open: async ({ digest }) => archive.read(archive.span(blobPath(digest))),
    file: ({ digest }) => inside(path, blobPath(digest)),
    close: async () => undefined,
  };
}

interface Stored {
  readonly descriptor: Descriptor;
  readonly open: () => Readable;
}

/** A layer's descriptor: its digest is its diffID, but for archives that hold compressed layers. */
async function layerOf(archive: ArchiveIndex, name: string, diffId: Digest): Promise<Stored> {
  const span = archive.span(name);
  const compression = sniff(await readSpan(archive, { ...span, size: Math.min(span.size, 4) }));
  const open = () => archive.read(span);
  if (compression === 'none')
    return { descriptor: { mediaType: mediaTypes.layer, digest: diffId, size: span.size }, open };
  const hash = createHash('sha256');
  for await (const chunk of open()) hash.update(chunk as Buffer);
  const digest = `sha256:${hash.digest('hex')}` as Digest;
  const mediaType = compression === 'gzip' ? mediaTypes.layerGzip : mediaTypes.layerZstd;
  return { descriptor: { mediaType, digest, size: span.size }, open };
}

/** A name as Docker completes it: `busybox` is `docker.io/library/busybox:latest`. */
function fullName(name: string): string {
  const tagged = /:[^/]*$|@/.test(name) ? name : `${name}:latest`;
  const [first = '', ...rest] = tagged.split('/');
  if (rest.length === 0) return `docker.io/library/${tagged}`;
  return first === 'localhost' || /[.:]/.test(first) ? tagged : `docker.io/${tagged}`;
}

function choose(images: readonly DockerArchiveImage[], ref: string | undefined, path: string) {
  const named = (image: DockerArchiveImage, at: number): boolean =>
    ref === undefined || ref === `@${at}` || image.RepoTags?.some((tag) => fullName(tag) === fullName(ref)) === true;
  const fitting = images.filter(named);
  const [image, ...others] = fitting;
  if (image !== undefined && others.length === 0) return image;
  throw new AppError('oci/reference', 'usage', `docker-archive:${path} does not hold exactly one such image`, {
    expected: ref ?? 'one image',
    found: images.map(({ RepoTags }) => RepoTags?.join(' ') ?? 'no tag').join(', ') || 'no image',
    hint: 'name one: docker-archive:file:repository:tag, or docker-archive:file:@0',
  });
}

/**
 * dockerArchiveSource reads what `docker save` wrote, in any of its formats. Such an archive has no
 * manifest in the registry's sense: one is made here, over the layers as they are stored.
 */
export async function dockerArchiveSource(archive: ArchiveIndex, ref: string | undefined): Promise<ImageSource> {
  const { name: path } = archive;
  const image = choose(
    parseDockerArchive(await document(archive, 'manifest.json'), inside(path, 'manifest.json')),
    ref,
    path,
  );
  const configBytes = await document(archive, image.Config);
  const id = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1];
  const digest = digestOf(configBytes);
  if (id !== undefined && digest !== `sha256:${id}`) throw digestMismatch(image.Config, `sha256:${id}`, digest);
  const { diff_ids: diffIds } = parseImageConfig(configBytes, inside(path, image.Config)).rootfs;
  const layers: Stored[] = [];
  for (const [index, name] of image.Layers.entries())
    layers.push(await layerOf(archive, name, diffIds[index] ?? digest));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest, size: configBytes.length },
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const root: Descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
  const blobs = new Map<string, () => Readable>(layers.map(({ descriptor, open }) => [descriptor.digest, open]));
  blobs.set(digest, () => Readable.from([configBytes]));
  blobs.set(root.digest, () => Readable.from([bytes]));
  return {
    name: `docker-archive:${path}`,
    root: async () => root,
    async open(descriptor) {
      const open = blobs.get(descriptor.digest);
      if (open !== undefined) return open();
      throw new AppError('oci/blob-missing', 'upstream', `${path} lacks a blob`, { expected: descriptor.digest });
    },
    close: async () => undefined,
  };
}
