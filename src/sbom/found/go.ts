import type { WindowRule } from '../../core/index.ts';
import type { Declared } from '../component.ts';

/** Starts the build information that Go 1.18 and later put into every binary (debug/buildinfo). */
export const goBuildInfoMagic = Buffer.from('\xff Go buildinf:', 'latin1');
const inlineStrings = 0x02;
const headerSize = 32;

/** Module lists of the largest programs are some 50 KB. */
const maxBuildInfo = 256 * 1024;
const smallestGoProgram = 64 * 1024;

/** goWindow keeps every executable's build information; the linker aligns it to 16 bytes (cmd/link, buildinfo). */
export const goWindow: WindowRule = {
  startsWith: Buffer.from('\x7fELF', 'latin1'),
  marker: goBuildInfoMagic,
  align: 16,
  headBytes: 2,
  // Programs that read other programs' build information hold the marker as a plain string, too.
  accept: (head) => ((head[15] ?? 0) & inlineStrings) !== 0 && (head[14] ?? 0) <= 8,
  bytes: maxBuildInfo,
  wants: (_path, { type, size, mode }) => type === 'file' && size >= smallestGoProgram && (mode & 0o111) !== 0,
};

/**
 * readGoBuildInfo reads the bytes from the magic on: 14 of magic, pointer size, flags, padding to 32, then
 * two strings with varint lengths: the Go version and the module list (framed by 16-byte marks).
 * Returns [] for the older pointer form, whose strings lie elsewhere in the binary.
 */
export function readGoBuildInfo(bytes: Buffer): Declared[] {
  if (bytes.length < headerSize || !bytes.subarray(0, goBuildInfoMagic.length).equals(goBuildInfoMagic)) return [];
  if (((bytes[15] ?? 0) & inlineStrings) === 0) return [];
  const version = readString(bytes, headerSize);
  const modules = version === undefined ? undefined : readString(bytes, version.end);
  if (version === undefined || modules === undefined) return [];
  const lines = modules.text.slice(16, -16).split('\n');
  const stdlib = version.text.replace(/^go/, '').split(' ')[0] ?? '';
  const standard: Declared[] = stdlib === '' ? [] : [declare('stdlib', stdlib)];
  return [...standard, ...modulesOf(lines)];
}

/** Lines are `mod` (the program itself), `dep`, and `=>`, which stands for the line before it. */
function modulesOf(lines: readonly string[]): Declared[] {
  const found: Declared[][] = [];
  for (const line of lines) {
    const [kind, path, version] = line.split('\t');
    if (path === undefined || version === undefined) continue;
    if (kind === '=>') found.pop();
    else if (kind !== 'dep' && kind !== 'mod') continue;
    // The program itself, when it was built from a work tree, and replacements by a folder have no version.
    found.push(version === '(devel)' || version === '' ? [] : [declare(path, version)]);
  }
  return found.flat();
}

function declare(path: string, version: string): Declared {
  const slash = path.lastIndexOf('/');
  const namespace = slash < 0 ? undefined : path.slice(0, slash);
  return {
    ecosystem: 'golang',
    name: path,
    version,
    purl: { type: 'golang', namespace, name: path.slice(slash + 1), version },
  };
}

function readString(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  let length = 0;
  let shift = 0;
  for (let index = at; index < bytes.length && shift <= 28; index++) {
    const byte = bytes[index] ?? 0;
    length |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    const end = index + 1 + length;
    return end > bytes.length ? undefined : { text: bytes.toString('latin1', index + 1, end), end };
  }
  return undefined;
}
