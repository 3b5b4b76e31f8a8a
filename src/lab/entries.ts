import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { extract, pack, type Header, type Pack } from 'tar-stream';
import { AppError } from '../errors/index.ts';
import type { Deb } from './apt.ts';

/** 2026-01-01T00:00:00Z: every file that the lab makes carries it, so that bytes repeat. */
export const epoch = new Date(1_767_225_600_000);

/** TarEntry is one path of a layer or archive; `path` has no leading `./` and no trailing slash. */
export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Target of a symlink as written, or of a hard link as a path like `path`. */
  readonly target?: string;
  readonly content?: Buffer;
}

export const file = (path: string, content: string | Buffer, mode = 0o644): TarEntry => ({
  path,
  type: 'file',
  mode,
  uid: 0,
  gid: 0,
  content: Buffer.from(content),
});
export const directory = (path: string, mode = 0o755): TarEntry => ({ path, type: 'directory', mode, uid: 0, gid: 0 });
export const symlink = (path: string, target: string): TarEntry => ({
  path,
  type: 'symlink',
  mode: 0o777,
  uid: 0,
  gid: 0,
  target,
});

/** A few packages still ship /bin or /lib: in a merged system those are links into /usr. */
function normalize(name: string): string {
  const path = name.replace(/^\.?\//, '').replace(/\/$/, '');
  return /^(bin|sbin|lib|lib64)\//.test(path) ? `usr/${path}` : path;
}

function toEntry(header: Header, content: Buffer): TarEntry | undefined {
  const { type, mode, uid, gid, linkname } = header;
  const path = normalize(header.name);
  if (path === '' || path === '.') return undefined;
  const common = { path, mode, uid, gid };
  if (type === 'file' || type === 'contiguous-file') return { ...common, type: 'file', content };
  if (type === 'directory') return { ...common, type };
  if (type === 'symlink') return { ...common, type, target: linkname };
  if (type === 'link') return { ...common, type, target: normalize(linkname) };
  throw new AppError('lab/tar', 'machine', `a package holds a ${type} entry`, { found: header.name });
}

/** debEntries gives a package's files in its own order; nothing of the package is run. */
export async function* debEntries(deb: Deb): AsyncGenerator<TarEntry> {
  const child = spawn('dpkg-deb', ['--fsys-tarfile', deb.file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const part of child.stdout.pipe(extract())) {
    const entry = toEntry(part.header, await buffer(part));
    if (entry !== undefined) yield entry;
  }
  const code = await closed;
  if (code !== 0)
    throw new AppError('lab/deb', 'machine', `dpkg-deb could not read ${deb.file}`, {
      found: `exit code ${code ?? '?'}`,
    });
}

/** Documentation is most of a package's paths; copyright files stay. */
export function isDocumentation(path: string): boolean {
  if (path.endsWith('/copyright')) return false;
  return /^usr\/share\/(doc|man|info|lintian|locale|bug|doc-base)\/./.test(path);
}

export async function addEntry(archive: Pack, entry: TarEntry): Promise<void> {
  const { path, type, mode, uid, gid, target, content = Buffer.alloc(0) } = entry;
  const header: Partial<Header> & { name: string } = {
    name: type === 'directory' ? `${path}/` : path,
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    mtime: epoch,
    size: type === 'file' ? content.length : 0,
    ...(target === undefined ? {} : { linkname: target }),
  };
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => {
      if (error) reject(error);
      else resolve();
    };
    if (type === 'file') archive.entry(header, content, done);
    else archive.entry(header, done);
  });
}

/** sorted puts hard links last, so that their targets are there already. */
export function sorted(entries: Iterable<TarEntry>): TarEntry[] {
  const rank = (entry: TarEntry): number => (entry.type === 'link' ? 1 : 0);
  return [...entries].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** tarOf gives a tar stream whose bytes depend on the entries alone. */
export function tarOf(entries: readonly TarEntry[]): Pack {
  const archive = pack();
  void (async () => {
    for (const entry of entries) await addEntry(archive, entry);
    archive.finalize();
  })().catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return archive;
}
