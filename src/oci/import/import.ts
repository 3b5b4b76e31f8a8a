import { Readable } from 'node:stream';
import {
  fromOciPlatform,
  mediaTypes,
  parseImageConfig,
  toOciPlatform,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  type OciPlatform,
  type Platform,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { blobsOf, type Layout } from '../layout/index.ts';
import { imagesOf, type StoredImage } from '../sources/images.ts';
import { openEngineArchive } from '../sources/open-archive.ts';
import type { ImageSource } from '../sources/source.ts';
import { baseLayers, fetchBase, proveBase, type BaseImage, type BaseProof } from './base.ts';
import { rewriteConfig } from './config.ts';
import type { KnownLayers } from './known-layers.ts';
import type { OwnLayer } from './rewrite.ts';
import { writeLayers } from './write-layers.ts';

export interface ImportRequest {
  readonly platform: Platform;
  /** Seconds since 1970: no time in the image is later. */
  readonly sourceDateEpoch: number;
  /** With it the first layers are proven to be the base's, and its own blobs are used for them. */
  readonly base?: BaseImage | undefined;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The Dockerfile's instructions after the last FROM: the history's words, whatever the engine's are. */
  readonly instructions?: readonly string[] | undefined;
  /** Labels that the Dockerfile sets to literals: a builder's own value of one gives way. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Absolute paths where the Dockerfile mounts something: some engines leave the empty directory. */
  readonly mountPoints?: readonly string[] | undefined;
  /** What earlier builds made of the same layers. */
  readonly known?: KnownLayers | undefined;
}

/** ImportedImage is one platform's image in the layout, not yet in its index. */
export interface ImportedImage {
  /** Of the manifest, with its platform. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly base?: BaseProof | undefined;
}

const name = "the engine's archive";
const hint = 'this is what the engine wrote: see its log, and build again';

/**
 * importArchive brings one platform's image from an engine's archive (docker save, an OCI archive of BuildKit, Buildah or
 * Docker's containerd store) into the layout and writes its manifest. The same content becomes the same digests, whichever
 * engine it came from. It does not touch index.json: see writeImageIndex. Throws `oci/archive…`, `oci/tar-…`,
 * `oci/base-mismatch`, `oci/digest-mismatch`.
 */
export async function importArchive(
  host: Host,
  layout: Layout,
  archive: AsyncIterable<Uint8Array>,
  request: ImportRequest,
): Promise<ImportedImage> {
  const { base } = request;
  const fetching = base === undefined ? Promise.resolve() : fetchBase(layout, base);
  fetching.catch(() => undefined);
  try {
    const source = await openEngineArchive(host, { name, bytes: archive, directory: blobsOf(layout) });
    try {
      const image = await onlyImage(source, request.platform);
      const proof = base === undefined ? undefined : proveBase(base, image.config.rootfs.diff_ids);
      const layers = await writeLayers(host, layout, image, request);
      await fetching;
      return { ...(await writeManifest(layout, request, image, layers)), base: proof };
    } finally {
      await source.close();
    }
  } finally {
    await fetching.catch(() => undefined);
  }
}

/** The archive's one image of the platform, whose config and manifest agree about its layers. */
async function onlyImage(source: ImageSource, platform: Platform): Promise<StoredImage> {
  const images: StoredImage[] = [];
  const others: string[] = [];
  const wants = (one: OciPlatform) => fromOciPlatform(one) === platform;
  for await (const image of imagesOf(source, { wants, onOther: ({ what }) => others.push(what) })) images.push(image);
  const [image, ...more] = images;
  if (image === undefined || more.length > 0)
    throw new AppError('oci/archive', 'upstream', `${name} does not hold exactly one image of the platform`, {
      expected: platform,
      found: [...images.map(({ manifestDigest }) => manifestDigest), ...others].join(', ') || 'no image',
      hint,
    });
  const { diff_ids: diffIds } = image.config.rootfs;
  if (diffIds.length === image.manifest.layers.length) return image;
  throw new AppError('oci/layers', 'upstream', `the config and the layer list in ${name} disagree`, {
    expected: `${image.manifest.layers.length} diffIDs`,
    found: `${diffIds.length}`,
    hint,
  });
}

async function writeManifest(
  layout: Layout,
  request: ImportRequest,
  image: StoredImage,
  layers: readonly (OwnLayer | undefined)[],
) {
  const { base } = request;
  const upstream = base === undefined ? [] : baseLayers(base);
  const bytes = rewriteConfig({
    bytes: image.configBytes,
    base: base?.config,
    epoch: request.sourceDateEpoch,
    diffIds: layers.map((layer) => layer?.diffId),
    labels: request.labels,
    instructions: request.instructions,
  });
  const config: ImageConfig = parseImageConfig(bytes);
  const configBlob = await layout.put(Readable.from([bytes]));
  const own = layers.slice(upstream.length).filter((layer) => layer !== undefined);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...configBlob },
    layers: [...upstream, ...own.map(({ descriptor }) => descriptor)],
    annotations: request.annotations === undefined ? undefined : sortKeys(request.annotations),
  };
  const descriptor = await layout.putJson(mediaTypes.manifest, manifest);
  return { descriptor: { ...descriptor, platform: toOciPlatform(request.platform) }, manifest, config };
}

function sortKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
