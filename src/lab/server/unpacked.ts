import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Deb } from '../apt.ts';
import { addEntry, debEntries, isDocumentation, type TarEntry } from '../entries.ts';
import { host } from '../host.ts';

/** Unpacked is a package ready to be sent: its files as a tar, its directories as a list. */
export interface Unpacked {
  readonly tar: string;
  /** Bytes of the tar without its end marker, so that several can be sent one after another. */
  readonly size: number;
  readonly directories: readonly TarEntry[];
  /** Every path, directories included, in the package's order. */
  readonly paths: readonly string[];
}

/** The end of an archive is two zero blocks of 512 bytes (pax, ustar interchange format). */
const endMarker = 1024;

export class UnpackedDebs {
  readonly #directory: string;
  readonly #made = new Map<string, Promise<Unpacked>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** get unpacks a package the first time it is asked for, and keeps it for every later build. */
  async get(deb: Deb): Promise<Unpacked> {
    const known = this.#made.get(deb.sha256);
    if (known !== undefined) return known;
    const made = this.#load(deb);
    this.#made.set(deb.sha256, made);
    made.catch(() => this.#made.delete(deb.sha256));
    return made;
  }

  async #load(deb: Deb): Promise<Unpacked> {
    const record = join(this.#directory, `${deb.sha256}.json`);
    const kept = await readFile(record, 'utf8').catch(() => undefined);
    return kept === undefined ? this.#make(deb, record) : (JSON.parse(kept) as Unpacked);
  }

  async #make(deb: Deb, record: string): Promise<Unpacked> {
    await mkdir(this.#directory, { recursive: true });
    const partial = join(this.#directory, `partial-${randomUUID()}`);
    const directories: TarEntry[] = [];
    const paths: string[] = [];
    const archive = pack();
    const output = createWriteStream(partial);
    const written = pipeline(archive, output);
    for await (const entry of debEntries(deb)) {
      if (isDocumentation(entry.path)) continue;
      paths.push(entry.path);
      if (entry.type === 'directory') directories.push(entry);
      else await addEntry(archive, entry);
    }
    archive.finalize();
    await written;
    const tar = join(this.#directory, `${deb.sha256}.tar`);
    await rename(partial, tar);
    const unpacked = { tar, size: output.bytesWritten - endMarker, directories, paths };
    await host.files.write(record, JSON.stringify(unpacked));
    return unpacked;
  }
}
