import { digestOf, mediaTypes, type Digest, type Manifest } from '../../core/index.ts';

/** manifestOf makes the manifest that an archive lacks, over its layers as they are stored there. */
export function manifestOf(
  config: Buffer,
  layers: readonly { readonly digest: Digest; readonly diffId: Digest; readonly size: number }[],
): { readonly manifest: Manifest; readonly digest: Digest } {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, diffId, size }) => ({
      mediaType: digest === diffId ? mediaTypes.layer : mediaTypes.layerGzip,
      digest,
      size,
    })),
  };
  return { manifest, digest: digestOf(JSON.stringify(manifest)) };
}
