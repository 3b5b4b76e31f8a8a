import { architectures, type Architecture } from './packages.ts';
import type { Blob, BlobStore, Layer } from './blobs.ts';
import { epoch } from './entries.ts';

export interface StandIn {
  /** Repository below the registry, as upstream names it. */
  readonly repository: string;
  readonly tag: string;
  readonly index: Blob;
  readonly manifests: Readonly<Record<Architecture, Blob>>;
  /** Everything that has to be in the registry before the manifests. */
  readonly blobs: readonly Blob[];
}

export interface ImageParts {
  readonly layers: readonly { readonly layer: Layer; readonly createdBy: string }[];
  /** The config object's inner `config`: Env, Cmd, Labels, … */
  readonly config: Readonly<Record<string, unknown>>;
}

const media = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** makeImage writes a two-platform OCI image index into the store (OCI image spec 1.1, image-index.md). */
export async function makeImage(
  store: BlobStore,
  repository: string,
  tag: string,
  parts: Readonly<Record<Architecture, ImageParts>>,
): Promise<StandIn> {
  const created = epoch.toISOString().replace('.000', '');
  const blobs: Blob[] = [];
  const manifests: Partial<Record<Architecture, Blob>> = {};
  for (const architecture of architectures) {
    const { layers, config } = parts[architecture];
    const configBlob = await store.addJson({
      created,
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ layer }) => layer.diffId) },
      history: layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
    });
    manifests[architecture] = await store.addJson({
      schemaVersion: 2,
      mediaType: media.manifest,
      config: { mediaType: media.config, ...configBlob },
      layers: layers.map(({ layer: { digest, size } }) => ({ mediaType: media.layer, digest, size })),
    });
    blobs.push(configBlob, ...layers.map(({ layer }) => layer));
  }
  const complete = manifests as Record<Architecture, Blob>;
  const index = await store.addJson({
    schemaVersion: 2,
    mediaType: media.index,
    manifests: architectures.map((architecture) => ({
      mediaType: media.manifest,
      ...complete[architecture],
      platform: { architecture, os: 'linux' },
    })),
  });
  return { repository, tag, index, manifests: complete, blobs };
}
