import { basename, dirname, join, relative } from 'node:path';
import type { Host } from '../../host/index.ts';

/** Changes is what a bump would write: path relative to the project → new text, undefined to remove the file. */
export type Changes = ReadonlyMap<string, string | undefined>;

/**
 * overlay shows the project as it would be after the changes, without writing any: what is generated
 * from the pins, and what is proved of them, is computed on it before the first byte is written.
 */
export function overlay(host: Host, root: string, changes: Changes): Host {
  const { files } = host;
  const keyOf = (path: string): string => relative(root, path).replaceAll('\\', '/');
  const read = async (path: string, limit?: number): Promise<Buffer> => {
    const text = changes.get(keyOf(path));
    return text === undefined ? files.read(path, limit) : Buffer.from(text);
  };
  return {
    ...host,
    files: {
      ...files,
      read,
      readText: async (path, limit) => (await read(path, limit)).toString('utf8'),
      stat: async (path) => {
        const key = keyOf(path);
        if (!changes.has(key)) return files.stat(path);
        const text = changes.get(key);
        if (text === undefined) return undefined;
        return { type: 'file', size: Buffer.byteLength(text), mode: 0o644, mtime: 0 };
      },
      list: async (path) => {
        const names = new Set(await files.list(path));
        for (const [key, text] of changes) {
          if (dirname(join(root, key)) !== path) continue;
          if (text === undefined) names.delete(basename(key));
          else names.add(basename(key));
        }
        return [...names].sort();
      },
    },
  };
}
