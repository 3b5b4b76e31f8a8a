import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  mediaTypes,
  parseImageConfig,
  toOciPlatform,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Manifest,
  type Platform,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Layout } from '../layout/index.ts';
import { digestMismatch } from '../verify.ts';
import { findImage, resolve, type ArchiveImage } from './archive-image.ts';
import { baseLayers, fetchBase, proveBase, type BaseImage, type BaseProof } from './base.ts';
import { rewriteConfig } from './config.ts';
import { readArchive, type Member } from './intake.ts';
import type { KnownLayers } from './known-layers.ts';
import { Rewriter } from './rewriter.ts';
import { rewriteLayer, type OwnLayer } from './rewrite.ts';
import { LayerSpool, type SpooledLayer } from './spool.ts';

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
  /** What the archive held beside the image: attestations, other platforms. */
  readonly ignored: readonly string[];
}

/** A layer of the archive: the base's, or ours as it is being rewritten. */
interface Taken {
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly own?: Promise<OwnLayer | undefined> | undefined;
}

/**
 * importArchive streams one platform's image from an engine (docker save, an OCI archive of
 * BuildKit, Buildah or Docker's containerd store) into the layout and writes its manifest. The
 * same content gives the same digests, whichever engine it came from. It does not touch
 * index.json: see writeImageIndex. Throws `oci/archive…`, `oci/tar-…`, `oci/base-mismatch`,
 * `oci/digest-mismatch`.
 */
export async function importArchive(
  host: Host,
  layout: Layout,
  archive: AsyncIterable<Uint8Array>,
  request: ImportRequest,
): Promise<ImportedImage> {
  const { base, sourceDateEpoch: epoch } = request;
  const baseDiffIds = new Set<string>(base?.config.rootfs.diff_ids ?? []);
  const members = new Map<string, Member<SpooledLayer>>();
  const layers = new Map<string, Taken>();
  const how = { epoch, mountPoints: request.mountPoints ?? [] };
  const rewriter = new Rewriter(async (layer) => {
    const known = await request.known?.find(layer.diffId, how);
    if (known !== undefined) return known.layer;
    const own = await rewriteLayer(host, layout, layer, how);
    request.known?.note(layer.diffId, how, own);
    return own;
  });
  const fetching = base === undefined ? Promise.resolve() : fetchBase(layout, base);
  fetching.catch(() => undefined);
  const take = async (name: string, member: Member<SpooledLayer>) => {
    if (member.$case !== 'layer') {
      members.set(name, member);
      return;
    }
    const { digest, diffId, size } = member.layer;
    members.set(name, { $case: 'other', digest, size });
    if (baseDiffIds.has(diffId)) {
      await member.layer.discard();
      layers.set(name, { digest, diffId });
      return;
    }
    const own = rewriter.add(member.layer);
    own.catch(() => undefined);
    layers.set(name, { digest, diffId, own });
  };
  try {
    const spool = join(layout.directory, 'blobs', 'sha256');
    await readArchive((name, compression) => LayerSpool.open(host, spool, name, compression), archive, take);
    const image = findImage(members, toOciPlatform(request.platform));
    const taken = chooseLayers(image, members, layers);
    const proof =
      base === undefined
        ? undefined
        : proveBase(
            base,
            taken.map(({ diffId }) => diffId),
          );
    await fetching;
    const written = await writeManifest(layout, request, image, taken);
    return { ...written, base: proof, ignored: image.ignored };
  } finally {
    await rewriter.stop();
    await fetching.catch(() => undefined);
  }
}

/** Puts the layers in the image's order and verifies what the archive says of them. */
function chooseLayers(
  image: ArchiveImage,
  members: ReadonlyMap<string, Member<SpooledLayer>>,
  layers: ReadonlyMap<string, Taken>,
): Taken[] {
  const { diff_ids: diffIds } = image.config.rootfs;
  if (diffIds.length !== image.layers.length) {
    throw new AppError('oci/archive', 'upstream', "the engine's config and layer list disagree", {
      expected: `${diffIds.length} layers, as the config says`,
      found: `${image.layers.length}`,
    });
  }
  return image.layers.map(({ name, digest }, index) => {
    const layer = layers.get(resolve(members, name).name);
    if (layer === undefined) {
      throw new AppError('oci/archive', 'upstream', `layer ${index} of the engine's archive is no tar`, {
        found: name,
      });
    }
    if (digest !== undefined && digest !== layer.digest) throw digestMismatch(`layer ${index}`, digest, layer.digest);
    const expected = diffIds[index] ?? '';
    if (layer.diffId !== expected) throw digestMismatch(`the content of layer ${index}`, expected, layer.diffId);
    return layer;
  });
}

async function writeManifest(layout: Layout, request: ImportRequest, image: ArchiveImage, taken: readonly Taken[]) {
  const { base } = request;
  const upstream = base === undefined ? [] : baseLayers(base);
  const own = await Promise.all(
    taken.map(({ own: rewritten, diffId }, index) => {
      if (index < upstream.length || base === undefined) return rewritten ?? Promise.resolve(undefined);
      // A layer above the base may hold the same bytes as one of the base's, an empty one say.
      const again = upstream[base.config.rootfs.diff_ids.indexOf(diffId)];
      return rewritten ?? Promise.resolve(again === undefined ? undefined : { descriptor: again, diffId });
    }),
  );
  const diffIds = taken.map(({ diffId }, index) => (index < upstream.length ? diffId : own[index]?.diffId));
  const bytes = rewriteConfig({
    bytes: image.configBytes,
    base: base === undefined ? undefined : base.config,
    epoch: request.sourceDateEpoch,
    diffIds,
    labels: request.labels,
    instructions: request.instructions,
  });
  const config: ImageConfig = parseImageConfig(bytes);
  const configBlob = await layout.put(Readable.from([bytes]));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...configBlob },
    layers: [...upstream, ...own.flatMap((layer) => (layer === undefined ? [] : [layer.descriptor]))],
    annotations: request.annotations === undefined ? undefined : sortKeys(request.annotations),
  };
  const descriptor = await layout.putJson(mediaTypes.manifest, manifest);
  return { descriptor: { ...descriptor, platform: toOciPlatform(request.platform) }, manifest, config };
}

function sortKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
