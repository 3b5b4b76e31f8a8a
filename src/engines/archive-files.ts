import type { Readable } from 'node:stream';
import type { Host } from '../host/index.ts';

/** ArchiveFiles keeps one private directory per built image and leaves none behind. */
export interface ArchiveFiles {
  /** A file name in a fresh directory of its own. */
  path(tag: string): Promise<string>;
  /** Streams the file; the directory goes when the stream has closed. */
  open(tag: string, file: string): Readable;
  remove(tag: string): Promise<void>;
}

/** archiveFiles: command-line engines write their archive to a file, since pipes would pass through memory. */
export function archiveFiles(host: Host): ArchiveFiles {
  const directories = new Map<string, { readonly path: string; readonly forget: () => void }>();
  const remove = async (tag: string): Promise<void> => {
    const found = directories.get(tag);
    if (found === undefined) return;
    directories.delete(tag);
    found.forget();
    await host.files.remove(found.path);
  };
  return {
    async path(tag) {
      await remove(tag);
      const path = await host.files.temporaryDirectory('runner-image-');
      directories.set(tag, { path, forget: host.onExit(() => host.files.remove(path)) });
      return `${path}/image.tar`;
    },
    open(tag, file) {
      const stream = host.files.openRead(file);
      stream.once('close', () => void remove(tag).catch(() => undefined));
      return stream;
    },
    remove,
  };
}
