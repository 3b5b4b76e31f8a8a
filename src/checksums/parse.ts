import { AppError, throwAll, type Where } from '../errors/index.ts';
import type { Digest } from '../core/index.ts';

/** Upper limit of a checksum file, in bytes: thousands of assets fit. */
export const maxChecksumBytes = 256 * 1024;

export interface ChecksumLine {
  readonly file: string;
  readonly digest: Digest;
  readonly where: Where;
}

const shape = /^(\\?)([0-9A-Fa-f]+)( [ *])(.+)$/;

function parseLine(line: string, where: Where): ChecksumLine | AppError {
  const bad = (message: string, column: number, hint: string): AppError =>
    new AppError('checksums/line', 'usage', message, {
      expected: '64 hex digits, two spaces (or a space and *), and a file name',
      found: JSON.stringify(line.slice(0, 160)),
      where: { ...where, column },
      hint,
    });
  if (line.endsWith('\r'))
    return bad('a carriage return ends the line', line.length, 'save the file with LF line endings');
  const match = shape.exec(line);
  if (match === null) return bad('not a line of sha256sum', 1, 'write the file with `sha256sum <assets> > <file>`');
  const [, escaped, hex = '', , file = ''] = match;
  if (escaped === '\\') return bad('escaped file names are not accepted', 1, 'rename the asset');
  if (hex.length !== 64)
    return bad(`the checksum has ${hex.length} hex digits, SHA-256 has 64`, 1, 'copy the whole checksum');
  if (!/^[A-Za-z0-9][A-Za-z0-9._+~-]*$/.test(file))
    return bad(
      'the file name holds something else than letters, digits and . _ + ~ -',
      67,
      'use the bare name of the asset',
    );
  // coreutils takes upper case too; there is one spelling of a digest here.
  return { file, digest: `sha256:${hex.toLowerCase()}` as Digest, where: { ...where, column: 1 } };
}

/**
 * parseChecksums reads a file in coreutils' format (`sha256sum -c` accepts it): text or binary
 * marker, upper or lower case; empty lines and `#` comments are skipped. Two lines for one file are
 * an error even where they agree. Throws every problem at once (`checksums/line`,
 * `checksums/duplicate`, `checksums/empty`, `checksums/too-large`).
 */
export function parseChecksums(text: string, file: string): ReadonlyMap<string, ChecksumLine> {
  if (Buffer.byteLength(text) > maxChecksumBytes)
    throw new AppError('checksums/too-large', 'usage', 'the checksum file is too large', {
      expected: `at most ${maxChecksumBytes} bytes`,
      where: { file },
    });
  const errors: AppError[] = [];
  const lines = new Map<string, ChecksumLine>();
  text.split('\n').forEach((line, index) => {
    if (line === '' || line.startsWith('#')) return;
    const parsed = parseLine(line, { file, line: index + 1 });
    if (parsed instanceof AppError) {
      errors.push(parsed);
      return;
    }
    const first = lines.get(parsed.file);
    if (first === undefined) lines.set(parsed.file, parsed);
    else
      errors.push(
        new AppError('checksums/duplicate', 'usage', `a second line for ${parsed.file}`, {
          expected: `one line for each file; the first is line ${first.where.line ?? 0}`,
          where: parsed.where,
        }),
      );
  });
  if (lines.size === 0 && errors.length === 0)
    errors.push(new AppError('checksums/empty', 'usage', 'no checksum in the file', { where: { file } }));
  throwAll(errors);
  return lines;
}

/** checksumOf finds an asset's line. Throws `checksums/missing`, naming what the file does hold. */
export function checksumOf(lines: ReadonlyMap<string, ChecksumLine>, asset: string, file: string): Digest {
  const line = lines.get(asset);
  if (line !== undefined) return line.digest;
  throw new AppError('checksums/missing', 'usage', `no checksum for ${asset}`, {
    found: [...lines.keys()].sort().join(', ').slice(0, 400),
    where: { file },
    hint: 'add the line that the publisher gives for it, for each architecture',
  });
}
