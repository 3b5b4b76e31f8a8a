import { randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { AppError } from '../errors/index.ts';
import type { Files, FileStat, TemporaryFile } from './types.ts';

const defaultLimit = 64 * 1024 * 1024;

/**
 * What is read whole is small, and a plan asks about a hundred such files: read at once they take a fifth of
 * the time that the trips to the thread pool and back take.
 */
function readNow(path: string, limit: number): Buffer {
  const tooLarge = (found: string): AppError =>
    new AppError('host/too-large', 'usage', `${path} is too large`, {
      expected: `at most ${limit} bytes`,
      found,
      where: { file: path },
    });
  const file = openSync(path, 'r');
  try {
    const stats = fstatSync(file);
    if (stats.size > limit) throw tooLarge(`${stats.size} bytes`);
    if (stats.isFile()) return readFileSync(file);
    // A pipe or a device has no size.
    const pieces: Buffer[] = [];
    for (let left = limit; ;) {
      const piece = Buffer.alloc(64 * 1024);
      const length = readSync(file, piece);
      if (length === 0) return Buffer.concat(pieces);
      left -= length;
      if (left < 0) throw tooLarge('more');
      pieces.push(piece.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

async function read(path: string, limit = defaultLimit): Promise<Buffer> {
  try {
    return readNow(path, limit);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('host/read', 'usage', `cannot read ${path}`, { where: { file: path }, cause });
  }
}

async function list(path: string): Promise<string[]> {
  const names = await readdir(path).catch((cause: unknown) => {
    throw new AppError('host/read', 'usage', `cannot list ${path}`, { where: { file: path }, cause });
  });
  return names.sort();
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    const found = lstatSync(path);
    const type = found.isFile()
      ? 'file'
      : found.isDirectory()
        ? 'directory'
        : found.isSymbolicLink()
          ? 'symlink'
          : 'other';
    return { type, size: found.size, mode: found.mode & 0o7777, mtime: found.mtimeMs };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The temporary file lies beside its target, so that the rename never crosses a file system. */
function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

async function write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    await chmod(temporary, mode);
    await rename(temporary, path);
  } catch (cause) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new AppError(full ? 'host/disk-full' : 'host/write', 'machine', `cannot write ${path}`, {
      cause,
      hint: full
        ? 'free some disk space and run the command again; the old file is untouched'
        : 'check the permissions',
    });
  }
}

async function openTemporary(path: string, { flush = false } = {}): Promise<TemporaryFile> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  const stream = createWriteStream(temporary, { flags: 'wx', flush, highWaterMark: 1024 * 1024 });
  // The caller's pipeline reports a failed write; without a listener it would end the process.
  stream.on('error', () => undefined);
  return {
    path: temporary,
    stream,
    async commit(target = path) {
      if (!stream.closed) {
        stream.end();
        await finished(stream);
      }
      await mkdir(dirname(target), { recursive: true });
      await rename(temporary, target);
    },
    async discard() {
      // Until the stream is closed its file may still come into being.
      if (!stream.closed) await new Promise<void>((closed) => void stream.once('close', closed).destroy());
      await rm(temporary, { force: true });
    },
  };
}

/** nodeFiles is the file system of this machine, by node:fs. */
export const nodeFiles: Files = {
  read,
  stat,
  write,
  openTemporary,
  readText: async (path, limit) => (await read(path, limit)).toString('utf8'),
  list,
  openRead: (path, range) => createReadStream(path, { highWaterMark: 1024 * 1024, ...range }),
  rename,
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true });
  },
  temporaryDirectory: (prefix) => mkdtemp(join(tmpdir(), `${prefix}-`)),
  remove: (path) => rm(path, { recursive: true, force: true }),
};
