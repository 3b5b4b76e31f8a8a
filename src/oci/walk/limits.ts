import { AppError } from '../../errors/index.ts';

/** What a walk accepts from an image it does not know. All are about the whole image but the first two. */
export interface WalkLimits {
  /** Uncompressed bytes of one layer. */
  readonly layerBytes: number;
  /** Uncompressed to compressed bytes, counted past the first GiB: gzip cannot exceed 1,032. */
  readonly ratio: number;
  readonly layers: number;
  readonly entries: number;
  /** Bytes of all path components together. */
  readonly nameBytes: number;
  /** Bytes of all file contents that collectors asked for. */
  readonly contentBytes: number;
}

export const defaultLimits: WalkLimits = {
  layerBytes: 64 * 1024 ** 3,
  ratio: 1_500,
  layers: 1_000,
  entries: 4_000_000,
  nameBytes: 128 * 1024 ** 2,
  contentBytes: 320 * 1024 ** 2,
};

/** Hidden files beyond this many are counted, not listed: about 15 MB of them. */
export const maxShadowed = 100_000;

/** Findings beyond this many are counted, not kept: an image made of them must not fill the memory. */
export const maxKept = 10_000;

/** Directories that one layer hides by a whiteout each: they are remembered to its end. */
export const maxHiddenDirectories = 100_000;

export function tooMuch(what: string, limit: number): AppError {
  return new AppError('oci/limit', 'upstream', `the image holds too many or too large ${what}`, {
    expected: `at most ${limit}`,
    hint: 'no runner image comes near this: look at what made it',
  });
}

/** checkLayerBytes holds what came of one layer so far against the bytes that it was compressed to. Throws `oci/limit`. */
export function checkLayerBytes(bytes: number, compressed: number, { layerBytes, ratio }: WalkLimits): void {
  if (bytes > layerBytes) throw tooMuch('uncompressed bytes in a layer', layerBytes);
  if (bytes > 1024 ** 3 && bytes > ratio * compressed)
    throw tooMuch('uncompressed bytes for each compressed one (a bomb)', ratio);
}
