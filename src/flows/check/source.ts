import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseImageRef } from '../../core/index.ts';
import { dockerCandidates, parseEndpoint, saveImage } from '../../engines/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openFileSource, parseSource, type ImageSource } from '../../oci/index.ts';
import type { Registry } from '../../registry/index.ts';

export interface SourceOptions {
  readonly registry: Registry;
  /** For `docker-daemon:`; found as the docker command finds it when absent. */
  readonly dockerHost?: string;
}

/** openSource opens an image by skopeo's transport names. Close it in the end. */
export async function openSource(host: Host, text: string, options: SourceOptions): Promise<ImageSource> {
  const name = parseSource(text);
  if (name.$case === 'registry') return registrySource(options.registry, name.ref);
  if (name.$case === 'docker-daemon') return await daemonSource(host, name.ref, options.dockerHost);
  return await openFileSource(host, name);
}

function registrySource(registry: Registry, text: string): ImageSource {
  const ref = parseImageRef(text);
  const repo = { registry: ref.registry, repository: ref.repository };
  const isManifest = (mediaType: string) => /index|manifest/.test(mediaType);
  return {
    name: text,
    root: () => registry.resolve(ref),
    open: async (blob) => {
      if (!isManifest(blob.mediaType)) return registry.blob(repo, blob);
      const { Readable } = await import('node:stream');
      const { bytes } = await registry.manifest({ ...repo, digest: blob.digest });
      return Readable.from([Buffer.from(bytes)], { objectMode: false });
    },
    close: async () => undefined,
  };
}

/** engineEndpoint gives the Engine API that containers and `docker-daemon:` use. Throws `check/no-engine`. */
export async function engineEndpoint(host: Host, dockerHost?: string) {
  if (dockerHost !== undefined) return parseEndpoint(dockerHost);
  const [first] = await dockerCandidates(host);
  if (first !== undefined) return first.endpoint;
  throw new AppError('check/no-engine', 'machine', 'no container engine was found', {
    expected: 'a Docker or Podman socket, DOCKER_HOST, or --endpoint',
    hint: 'runner-image doctor tells what to install',
  });
}

/**
 * An engine streams its layers before it says which image they belong to, so what it saves lies in a
 * private temporary file while it is read: the one source that needs a copy.
 */
async function daemonSource(host: Host, ref: string, dockerHost: string | undefined): Promise<ImageSource> {
  const endpoint = await engineEndpoint(host, dockerHost);
  const directory = await host.files.temporaryDirectory('runner-image-daemon');
  const unregister = host.onExit(() => host.files.remove(directory));
  const close = async () => {
    unregister();
    await host.files.remove(directory);
  };
  try {
    const file = await host.files.openTemporary(join(directory, 'image.tar'));
    await pipeline(await saveImage(host, endpoint, ref), file.stream);
    await file.commit();
    const { archive } = await engineKind(host, join(directory, 'image.tar'));
    const source = await openFileSource(host, { $case: archive, path: join(directory, 'image.tar') });
    return {
      ...source,
      name: `docker-daemon:${ref}`,
      close: async () => {
        await source.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Docker 25 and later, and the containerd store, write an OCI layout into the tar; older ones do not. */
async function engineKind(host: Host, path: string): Promise<{ archive: 'oci-archive' | 'docker-archive' }> {
  try {
    const source = await openFileSource(host, { $case: 'oci-archive', path });
    await source.root();
    await source.close();
    return { archive: 'oci-archive' };
  } catch {
    return { archive: 'docker-archive' };
  }
}
