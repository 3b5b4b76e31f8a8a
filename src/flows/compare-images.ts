import { formatBytes, type Picture } from '../core/index.ts';
import type { Host } from '../host/index.ts';
import { markdownText } from '../errors/index.ts';
import { packagesOf, type PackagesOptions, type PlatformPackages } from './trust/packages.ts';
import { compareInventories, formatSbomDiff, type SbomDiff } from './trust/sbom-diff.ts';

const [begin, end] = ['<!-- images -->', '<!-- /images -->'];

const compressed = ({ layers }: Picture): number => layers.reduce((sum, { size }) => sum + size, 0);
const unpacked = ({ layers }: Picture): number =>
  layers.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);

function change(from: number, to: number): string {
  const by = to - from;
  const percent = from === 0 ? '' : `, ${by < 0 ? '−' : '+'}${((Math.abs(by) / from) * 100).toFixed(1)} %`;
  return by === 0 ? 'the same' : `${by < 0 ? '−' : '+'}${formatBytes(Math.abs(by))}${percent}`;
}

function sizeRows(old: readonly PlatformPackages[], fresh: readonly PlatformPackages[]): readonly string[] {
  return fresh.flatMap(({ picture }) => {
    const before = old.find((one) => one.picture.platform === picture.platform)?.picture;
    if (before === undefined) return [];
    return [compressed, unpacked].map((sizeOf) => {
      const [from, to] = [sizeOf(before), sizeOf(picture)];
      const what = sizeOf === compressed ? 'layers, compressed' : 'layers, unpacked';
      return `| ${picture.platform} | ${what} | ${formatBytes(from)} | ${formatBytes(to)} | ${change(from, to)} |`;
    });
  });
}

export interface CompareOptions extends Omit<PackagesOptions, 'image'> {
  readonly before: PackagesOptions['image'];
  readonly after: PackagesOptions['image'];
  /** What the section calls them. */
  readonly names: { readonly before: string; readonly after: string };
}

export interface ImageComparison {
  readonly packages: SbomDiff;
  /** Markdown for a reviewer: size on every platform, and packages of every ecosystem. */
  readonly section: string;
}

/** compareImages reads two images, every platform, and says what they differ in. */
export async function compareImages(
  host: Host,
  { before, after, names, ...rest }: CompareOptions,
): Promise<ImageComparison> {
  const old = await packagesOf(host, { ...rest, image: before });
  const fresh = await packagesOf(host, { ...rest, image: after });
  const packages = compareInventories(names, old, fresh);
  const section = [
    ...[begin, '### Images', '', `${markdownText(names.before)} → ${markdownText(names.after)}`],
    ...['', '| platform | | old | new | change |', '|---|---|---|---|---|', ...sizeRows(old, fresh), ''],
    ...[formatSbomDiff(packages, 'markdown'), end],
  ].join('\n');
  return { packages, section };
}

/** withImages puts the section into a page, in the place of the one that was there. */
export function withImages(page: string, section: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${section}\n`;
  return page.slice(0, from) + section + page.slice(to + end.length);
}
