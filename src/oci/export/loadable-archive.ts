import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as makePack, type Pack } from 'tar-stream';
import { blobPath, mediaTypes, type Descriptor, type Manifest } from '../../core/index.ts';

/** What the archive takes its bytes from: a layout, or any opened image source. */
export interface LoadableImage {
  /** Of the platform's manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readManifest(): Promise<Uint8Array>;
  open(blob: Descriptor): Promise<Readable>;
}

const path = ({ digest }: Descriptor) => blobPath(digest);

/**
 * loadableArchive streams one platform's image as a tar that every engine's `load` takes: manifest.json for
 * Docker 20.10 and Podman (layers stay compressed, they unpack them), index.json for containerd's store. The
 * blobs are the image's own, so what runs is what ships. `name` is `repository:tag`.
 */
export function loadableArchive(image: LoadableImage, name: string): Readable {
  return Readable.from(chunks(image, name), { objectMode: false, highWaterMark: 1024 * 1024 });
}

async function* chunks(image: LoadableImage, name: string): AsyncGenerator<Buffer> {
  const pack = makePack();
  const done = fill(pack, image, name).catch((error: unknown) => {
    pack.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const chunk of pack) yield chunk as Buffer;
  } finally {
    pack.destroy();
    await done;
  }
}

async function fill(pack: Pack, image: LoadableImage, name: string): Promise<void> {
  const { config, layers } = image.manifest;
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ ...image.descriptor, annotations: { 'io.containerd.image.name': name } }],
  };
  const dockerManifest = [{ Config: path(config), RepoTags: [name], Layers: layers.map(path) }];
  text(pack, 'oci-layout', { imageLayoutVersion: '1.0.0' });
  text(pack, 'index.json', index);
  text(pack, 'manifest.json', dockerManifest);
  pack.entry(
    { name: path(image.descriptor), mode: 0o644, mtime: new Date(0) },
    Buffer.from(await image.readManifest()),
  );
  const unique = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  for (const blob of unique.values()) await copy(pack, blob, await image.open(blob));
  pack.finalize();
}

function text(pack: Pack, name: string, value: unknown): void {
  pack.entry({ name, mode: 0o644, mtime: new Date(0) }, JSON.stringify(value));
}

async function copy(pack: Pack, blob: Descriptor, content: Readable): Promise<void> {
  await pipeline(content, pack.entry({ name: path(blob), mode: 0o644, mtime: new Date(0), size: blob.size }));
}
