import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as makePack, type Pack } from 'tar-stream';
import type { ContextFile } from '../core/index.ts';
import { AppError, throwAll } from '../errors/index.ts';
import type { Host } from '../host/index.ts';

/** Where an extra CA lies in the context; Dockerfiles mount the directory, no layer copies it. */
export const extraCaDirectory = 'build-ca';

export interface ContextSource {
  /** Directory that a file's `source` is relative to, where the file names none. */
  readonly root: string;
  readonly files: readonly ContextFile[];
  readonly dockerfile: string;
  /** PEM, added as `build-ca/extra.pem`. */
  readonly extraCa?: Uint8Array | undefined;
  /** Seconds since 1970, for every entry. Default 0. */
  readonly mtime?: number | undefined;
}

interface Item {
  readonly path: string;
  readonly mode: number;
  readonly content: { readonly bytes: Uint8Array } | { readonly file: ContextFile; readonly size: number };
}

/** A path that leaves the context would be the engine's to interpret: none gets that far. */
function isPlainPath(path: string): boolean {
  return (
    path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0\\]/.test(part))
  );
}

async function check(host: Host, project: string, file: ContextFile): Promise<{ size: number } | AppError> {
  const root = file.root ?? project;
  const where = { where: { file: file.source } };
  if (!isPlainPath(file.path) || !isPlainPath(file.source))
    return new AppError(
      'engines/context-path',
      'usage',
      `context path ${JSON.stringify(file.path)} is not relative and plain`,
      where,
    );
  const parts = file.source.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const parent = parts.slice(0, depth).join('/');
    if ((await host.files.stat(`${root}/${parent}`))?.type === 'symlink')
      return new AppError('engines/context-symlink', 'usage', `${parent} is a symlink`, {
        ...where,
        expected: 'a directory of the project',
        hint: 'put the file itself into the project: the target of a link can change unnoticed',
      });
  }
  const stat = await host.files.stat(`${root}/${file.source}`);
  if (stat === undefined)
    return new AppError('engines/context-missing', 'usage', 'a file of the build context is missing', {
      ...where,
      hint: 'restore it (git checkout -- FILE), or generate again without it',
    });
  if (stat.type !== 'file')
    return new AppError(
      `engines/context-${stat.type === 'symlink' ? 'symlink' : 'type'}`,
      'usage',
      `${file.source} is a ${stat.type}`,
      {
        ...where,
        expected: 'a regular file',
        hint: 'put the file itself into the project: the target of a link can change unnoticed',
      },
    );
  return { size: stat.size };
}

/**
 * contextSource checks every file once (all problems at once) and returns a maker of identical tar
 * streams: sorted, owned by 0:0, fixed times and modes, nothing but what was named. Content is
 * hashed again while it streams, so that a file changed since the plan ends the build with
 * `engines/context-changed`. Throws `engines/context-*`.
 */
export async function contextSource(host: Host, source: ContextSource): Promise<() => Readable> {
  const checked = await Promise.all(source.files.map((file) => check(host, source.root, file)));
  const items: Item[] = [
    { path: 'Dockerfile', mode: 0o644, content: { bytes: Buffer.from(source.dockerfile) } },
    ...(source.extraCa === undefined
      ? []
      : [{ path: `${extraCaDirectory}/extra.pem`, mode: 0o644, content: { bytes: source.extraCa } }]),
  ];
  const problems: AppError[] = [];
  checked.forEach((result, index) => {
    const file = source.files[index];
    if (result instanceof AppError) problems.push(result);
    else if (file !== undefined) items.push({ path: file.path, mode: file.mode, content: { file, size: result.size } });
  });
  const paths = items.map((item) => item.path);
  const twice = paths.filter((path, index) => paths.indexOf(path) !== index);
  for (const path of twice)
    problems.push(new AppError('engines/context-duplicate', 'usage', `${path} enters the build context twice`));
  throwAll(problems);
  items.sort((a, b) => (a.path < b.path ? -1 : 1));
  return () => stream(host, source, items);
}

function directories(items: readonly Item[]): string[] {
  const all = new Set<string>([extraCaDirectory]);
  for (const { path } of items)
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) all.add(path.slice(0, slash));
  return [...all];
}

function stream(host: Host, source: ContextSource, items: readonly Item[]): Readable {
  return Readable.from(chunks(host, source, items), { objectMode: false });
}

async function* chunks(host: Host, source: ContextSource, items: readonly Item[]): AsyncGenerator<Buffer> {
  const pack = makePack();
  const done = fill(pack, host, source, items).catch((error: unknown) => {
    pack.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const chunk of pack) yield chunk as Buffer;
  } finally {
    pack.destroy();
    await done;
  }
}

async function fill(pack: Pack, host: Host, source: ContextSource, items: readonly Item[]): Promise<void> {
  const common = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date((source.mtime ?? 0) * 1000) };
  const folders = directories(items).map((path) => ({ path, item: undefined }));
  const entries = [...folders, ...items.map((item) => ({ path: item.path, item }))];
  // Sorted together, so that a directory comes before what lies in it.
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, item } of entries) {
    if (item === undefined) pack.entry({ ...common, name: `${path}/`, type: 'directory', mode: 0o755 });
    else if ('bytes' in item.content)
      pack.entry({ ...common, name: path, mode: item.mode }, Buffer.from(item.content.bytes));
    else await addFile(pack, host, source.root, { ...common, name: path, mode: item.mode }, item.content);
  }
  pack.finalize();
}

type Header = Parameters<Pack['entry']>[0];

async function addFile(
  pack: Pack,
  host: Host,
  root: string,
  header: Header,
  { file, size }: { readonly file: ContextFile; readonly size: number },
): Promise<void> {
  const hash = createHash('sha256');
  let seen = 0;
  const changed = (found: string): AppError =>
    new AppError('engines/context-changed', 'usage', 'a context file changed after the plan was made', {
      where: { file: file.source },
      expected: file.digest,
      found,
      hint: 'run the command again: it plans from the files as they are now',
    });
  const entry = pack.entry({ ...header, size });
  await pipeline(
    host.files.openRead(`${file.root ?? root}/${file.source}`),
    async function* (bytes: AsyncIterable<Buffer>) {
      for await (const chunk of bytes) {
        seen += chunk.length;
        if (seen > size) throw changed(`more than ${size} bytes`);
        hash.update(chunk);
        yield chunk;
      }
      if (seen !== size) throw changed(`${seen} bytes instead of ${size}`);
      const digest = `sha256:${hash.digest('hex')}`;
      if (digest !== file.digest) throw changed(digest);
    },
    entry,
  );
}
