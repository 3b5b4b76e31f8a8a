import { Readable } from 'node:stream';
import {
  maxManifestBytes,
  parseImageRef,
  type Collectors,
  type Descriptor,
  type Picture,
  type ImagePlatform,
} from '../../core/index.ts';
import { dockerCandidates, loadImage, parseEndpoint, saveImage, type Endpoint } from '../../engines/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import {
  imageManifest,
  loadableArchive,
  openEngineArchive,
  openFileSource,
  parseSource,
  readVerified,
  walkSource,
  type ImageSource,
  type OtherManifest,
} from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';

export interface SourceOptions {
  readonly registry: Registry;
  /** For `docker-daemon:` and started containers; found as the docker command finds it when absent. */
  readonly dockerHost?: string | undefined;
}

/** CheckedImage is an image of any transport: read once for its pictures, and brought into an engine to run. */
export interface CheckedImage {
  /** As the user named it. */
  readonly name: string;
  pictures(collectors: Collectors, platforms?: readonly ImagePlatform[]): Promise<Picture[]>;
  /** What else the reference leads to: known when the pictures are. */
  readonly others: readonly OtherManifest[];
  /** Returns the name by which the engine knows the image; `remove` takes away only what this brought. */
  load(picture: Picture, name: string, endpoint: Endpoint): Promise<{ readonly name: string; remove(): Promise<void> }>;
  close(): Promise<void>;
}

/** openImage opens what a user named with skopeo's transports, or takes a source that is open. Close it in the end. */
export async function openImage(
  host: Host,
  image: string | ImageSource,
  options: SourceOptions,
): Promise<CheckedImage> {
  if (typeof image !== 'string') return sourceImage(host, image.name, image);
  const name = parseSource(image);
  if (name.$case === 'docker-daemon') return daemonImage(host, name.ref, options.dockerHost);
  if (name.$case === 'registry') return sourceImage(host, image, registrySource(options.registry, name.ref, image));
  return sourceImage(host, image, await openFileSource(host, name));
}

/** engineEndpoint returns the Engine API that containers and `docker-daemon:` use. Throws `check/no-engine`. */
export async function engineEndpoint(host: Host, dockerHost?: string): Promise<Endpoint> {
  if (dockerHost !== undefined) return parseEndpoint(dockerHost);
  const [first] = await dockerCandidates(host);
  if (first !== undefined) return first.endpoint;
  throw new AppError('check/no-engine', 'machine', 'no container engine was found', {
    expected: 'a Docker or Podman socket, DOCKER_HOST, or --endpoint',
    hint: 'runner-image doctor tells what to install',
  });
}

function sourceImage(host: Host, name: string, source: ImageSource): CheckedImage {
  const others: OtherManifest[] = [];
  return {
    name,
    others,
    pictures: (collectors, platforms) =>
      walkSource(source, { collectors, platforms, onOther: (other) => others.push(other) }),
    load: async (picture, tag, endpoint) => await loadImage(host, endpoint, await archiveOf(source, picture, tag), tag),
    close: () => source.close(),
  };
}

async function archiveOf(source: ImageSource, picture: Picture, name: string): Promise<Readable> {
  const descriptor = await imageManifest(source, picture);
  const image = {
    descriptor,
    manifest: picture.manifest,
    readManifest: async () => readVerified(await source.open(descriptor), descriptor, maxManifestBytes),
    open: (blob: Descriptor) => source.open(blob),
  };
  return loadableArchive(image, name);
}

function registrySource(registry: Registry, text: string, name: string): ImageSource {
  const ref = parseImageRef(text);
  const repo = { registry: ref.registry, repository: ref.repository };
  return {
    name,
    root: () => registry.resolve(ref),
    open: async (blob) => {
      if (!/index|manifest/.test(blob.mediaType)) return registry.blob(repo, blob);
      const { bytes } = await registry.manifest({ ...repo, digest: blob.digest });
      return Readable.from([Buffer.from(bytes)], { objectMode: false });
    },
    close: async () => undefined,
  };
}

/** An engine streams an image once, so it is kept in a file while it is read; to be started it is already where it must be. */
function daemonImage(host: Host, ref: string, dockerHost: string | undefined): CheckedImage {
  const name = `docker-daemon:${ref}`;
  const others: OtherManifest[] = [];
  return {
    name,
    others,
    async pictures(collectors, platforms) {
      const endpoint = await engineEndpoint(host, dockerHost);
      const source = await openEngineArchive(host, { name, bytes: await saveImage(host, endpoint, ref) });
      try {
        return await walkSource(source, { collectors, platforms, onOther: (other) => others.push(other) });
      } finally {
        await source.close();
      }
    },
    load: async () => ({ name: ref, remove: async () => undefined }),
    close: async () => undefined,
  };
}
