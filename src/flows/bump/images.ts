import { formatBytes, type Picture } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { markdownText } from '../../errors/index.ts';
import { compareInventories, formatSbomDiff, packagesOf, type PlatformPackages } from '../trust/index.ts';
import type { Registry } from '../../registry/index.ts';

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

/** imagesSection is what two built images differ in: size on every platform, and packages of every ecosystem. */
export function imagesSection(
  names: { readonly before: string; readonly after: string },
  old: readonly PlatformPackages[],
  fresh: readonly PlatformPackages[],
): string {
  const diff = compareInventories(names, old, fresh);
  return [
    ...[begin, '### Images', '', `${markdownText(names.before)} → ${markdownText(names.after)}`],
    ...['', '| platform | | old | new | change |', '|---|---|---|---|---|', ...sizeRows(old, fresh), ''],
    ...[formatSbomDiff(diff, 'markdown'), end],
  ].join('\n');
}

export interface CompareOptions {
  readonly before: string;
  readonly after: string;
  readonly registry: Registry;
  /** For `docker-daemon:`. */
  readonly dockerHost?: string | undefined;
}

/** compareImages reads both images, every platform, and gives the section for the reviewer's page. */
export async function compareImages(host: Host, options: CompareOptions): Promise<string> {
  const { before, after, registry, dockerHost } = options;
  const where = dockerHost === undefined ? { registry } : { registry, dockerHost };
  const old = await packagesOf(host, { ...where, image: before });
  const fresh = await packagesOf(host, { ...where, image: after });
  return imagesSection({ before, after }, old, fresh);
}

/** withImages puts the section into a page, in the place of the one that was there. */
export function withImages(page: string, section: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${section}\n`;
  return page.slice(0, from) + section + page.slice(to + end.length);
}
