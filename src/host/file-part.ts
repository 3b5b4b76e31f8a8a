import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../errors/index.ts';
import type { FilePart } from './types.ts';

/** Large enough that asking for the next piece costs nothing beside sending it. */
const pieceSize = 512 * 1024;

/** What cannot be read here must not look like a broken connection, which would be tried again. */
const unreadable =
  ({ path }: FilePart) =>
  (cause: unknown): never => {
    throw new AppError('host/read', 'machine', `cannot read ${path}`, { where: { file: path }, cause });
  };

/** fill reads until the buffer is full. */
async function fill(handle: FileHandle, part: FilePart, into: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await handle
      .read(into, filled, into.length - filled, position + filled)
      .catch(unreadable(part));
    if (bytesRead === 0)
      throw new AppError('host/read', 'machine', `${part.path} ended too early`, {
        expected: `${part.start + part.length} bytes`,
        found: `${position + filled} bytes`,
        where: { file: part.path },
      });
    filled += bytesRead;
  }
  return into;
}

/**
 * filePieces reads a part of a file into two buffers in turn: a piece holds good only until the next one is
 * asked for, which the sender does when the kernel has it. A new buffer for each megabyte cost more
 * processor time than sending it: fresh memory, and a collector that ran every 20 MB.
 */
export async function* filePieces(part: FilePart): AsyncGenerator<Buffer> {
  const handle = await open(part.path, 'r').catch(unreadable(part));
  const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(pieceSize, part.length)));
  let read = 0;
  const next = (): Promise<Buffer> | undefined => {
    const length = Math.min(pieceSize, part.length - read);
    const [into] = buffers.splice(0, 1);
    if (length === 0 || into === undefined) return undefined;
    buffers.push(into);
    const filling = fill(handle, part, into.subarray(0, length), part.start + read);
    // Observed when its turn comes; a reader that stops before must not leave it unhandled.
    filling.catch(() => undefined);
    read += length;
    return filling;
  };
  let filling = next();
  try {
    while (filling !== undefined) {
      const piece = await filling;
      filling = next();
      yield piece;
    }
  } finally {
    await filling?.catch(() => undefined);
    await handle.close();
  }
}
