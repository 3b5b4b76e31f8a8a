import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { toText } from '../tar/entry.ts';
import { TarReader } from '../tar/reader.ts';

/** Where a member's content lies in the archive file, in bytes. */
export interface Span {
  readonly offset: number;
  readonly size: number;
}

/** ArchiveIndex finds an archive's members in the file itself: nothing is unpacked or copied. */
export interface ArchiveIndex {
  /** As errors name the archive. */
  readonly name: string;
  has(member: string): boolean;
  names(): string[];
  /** Follows links inside the archive. Throws `oci/archive`. */
  span(member: string): Span;
  read(span: Span): Readable;
}

const maxMembers = 100_000;
/** Shorter content is read over rather than sought over. */
const worthSeeking = 2 * 1024 * 1024;

/** A member's name without `./` and slashes at its ends. Throws `oci/archive-path` for one that leaves the archive. */
function clean(name: string): string {
  const cleaned = posix
    .normalize(name)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/$/, '');
  if (cleaned !== '..' && !cleaned.startsWith('../')) return cleaned;
  throw new AppError('oci/archive-path', 'upstream', 'a member of an archive lies outside of it', {
    found: JSON.stringify(cleaned.slice(0, 200)),
  });
}

/** indexArchive reads the headers of an archive file, seeking over what lies between them. `name` is for errors. */
export async function indexArchive(host: Host, path: string, name = path): Promise<ArchiveIndex> {
  const stat = await host.files.stat(path);
  if (stat?.type !== 'file') {
    throw new AppError('oci/archive', 'usage', `${name} is no archive file`, { found: stat?.type ?? 'no such file' });
  }
  const spans = new Map<string, Span>();
  const links = new Map<string, string>();
  const reader = new TarReader({
    entry(entry) {
      const { type, offset, size, link } = entry;
      if (spans.size + links.size >= maxMembers) {
        throw new AppError('oci/too-many-entries', 'upstream', `${name} has more than ${maxMembers} members`);
      }
      const member = clean(toText(entry.name));
      spans.delete(member);
      links.delete(member);
      if (type === 'file') spans.set(member, { offset, size });
      else if (type === 'symlink') links.set(member, clean(posix.join(posix.dirname(member), toText(link))));
      else if (type === 'link') links.set(member, clean(toText(link)));
    },
  });
  for (let position = 0; position < stat.size;) position = await readSome(host, path, reader, position);
  if (reader.bytes > stat.size) {
    throw new AppError('oci/tar-truncated', 'upstream', `${name} ends in the middle of a member`);
  }
  reader.finish();
  return {
    name,
    has: (member) => spans.has(member) || links.has(member),
    names: () => [...spans.keys(), ...links.keys()],
    span(member) {
      let at = member;
      for (let hops = 0; hops < 16; hops++) {
        const span = spans.get(at);
        if (span !== undefined) return span;
        const next = links.get(at);
        if (next === undefined) break;
        at = next;
      }
      throw new AppError('oci/archive', 'upstream', `${name} lacks a member, or its links lead nowhere`, {
        expected: JSON.stringify(member.slice(0, 200)),
      });
    },
    read: ({ offset, size }) =>
      size === 0 ? Readable.from([]) : host.files.openRead(path, { start: offset, end: offset + size - 1 }),
  };
}

/** Reads on until there is something long to seek over; returns where to go on. */
async function readSome(host: Host, path: string, reader: TarReader, start: number): Promise<number> {
  let position = start;
  const stream = host.files.openRead(path, { start });
  try {
    for await (const chunk of stream) {
      reader.write(chunk as Buffer);
      position += (chunk as Buffer).length;
      if (reader.contentLeft >= worthSeeking) return position + reader.skipContent();
    }
  } finally {
    stream.destroy();
  }
  return position;
}
