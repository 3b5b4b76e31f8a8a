import type { Host } from '../../host/index.ts';
import { AppError } from '../../errors/index.ts';
import { openLayout } from '../layout/index.ts';
import { join } from 'node:path';
import { dockerArchiveSource, ociArchiveSource } from './archive-source.ts';
import { dirSource } from './dir-source.ts';
import { pick } from './pick.ts';
import type { ImageSource } from './source.ts';
import { openArchive } from './open-archive.ts';

/** SourceName is an image reference taken apart, with skopeo's transport names. */
export type SourceName =
  | {
      readonly $case: 'oci' | 'oci-archive' | 'docker-archive' | 'dir';
      readonly path: string;
      readonly ref?: string | undefined;
    }
  | { readonly $case: 'docker-daemon' | 'registry'; readonly ref: string };

/** Of skopeo's transports, those that cannot be read without the tool that keeps them (containers-transports(5)). */
const unsupported = /^(containers-storage|ostree|sif|tarball|atomic):/;

/**
 * parseSource reads `oci:dir[:ref]`, `oci-archive:file[:ref]`, `docker-archive:file[:ref]`, each also with `:@n` for
 * the image at that place, `dir:directory`, `docker-daemon:ref`, `docker://ref` and, without a transport, a registry
 * reference. Throws `oci/source`.
 */
export function parseSource(text: string): SourceName {
  const [, foreign] = unsupported.exec(text) ?? [];
  if (foreign !== undefined)
    throw new AppError('oci/source', 'usage', `images in ${foreign}: cannot be read`, {
      expected: 'oci:, oci-archive:, docker-archive:, dir:, docker-daemon:, docker:// or a registry reference',
      found: JSON.stringify(text.slice(0, 200)),
      hint: 'copy it first: skopeo copy REFERENCE oci-archive:FILE',
    });
  const [, transport, rest = ''] = /^(oci|oci-archive|docker-archive|dir|docker-daemon):(.*)$/.exec(text) ?? [];
  if (transport === 'dir' && rest !== '') return { $case: 'dir', path: rest };
  if (transport === undefined) return { $case: 'registry', ref: text.replace(/^docker:\/\//, '') };
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const ref = colon < 0 ? undefined : rest.slice(colon + 1);
  if (rest === '' || path === '' || ref === '') {
    throw new AppError('oci/source', 'usage', 'an incomplete image reference', {
      expected: `${transport}:${transport === 'docker-daemon' ? 'repository:tag' : 'path[:name]'}`,
      found: JSON.stringify(text.slice(0, 200)),
    });
  }
  if (transport === 'docker-daemon') return { $case: 'docker-daemon', ref: rest };
  return { $case: transport as 'oci', path, ref };
}

/** layoutSource reads an OCI layout directory. Its files are given as they lie there. */
export async function layoutSource(host: Host, directory: string, ref: string | undefined): Promise<ImageSource> {
  const layout = await openLayout(host, directory);
  const name = `oci:${directory}`;
  return {
    name,
    async root() {
      const index = await layout.index();
      if (index !== undefined) return pick(index, ref, name);
      throw new AppError('oci/reference', 'usage', `${name} holds no image yet`, {
        where: { file: join(directory, 'index.json') },
      });
    },
    open: (descriptor) => layout.openRaw(descriptor),
    file: (descriptor) => layout.path(descriptor),
    close: async () => undefined,
  };
}

/** openFileSource opens the kinds of source that are files. */
export async function openFileSource(host: Host, name: SourceName): Promise<ImageSource> {
  switch (name.$case) {
    case 'oci':
      return layoutSource(host, name.path, name.ref);
    case 'oci-archive':
      return openArchive(host, name.path, (archive) => ociArchiveSource(archive, name.ref));
    case 'docker-archive':
      return openArchive(host, name.path, (archive) => dockerArchiveSource(archive, name.ref));
    case 'dir':
      return dirSource(host, name.path);
    case 'docker-daemon':
    case 'registry':
      throw new TypeError(`${name.$case}: is no file; hand in its own source`);
  }
}
