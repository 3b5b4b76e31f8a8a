import { expect, test } from 'vitest';
import { digestOf, type ImagePlatform, type Picture } from '../../src/core/index.ts';
import { compareInventories, formatSbomDiff, isSame, type PlatformPackages } from '../../src/flows/trust/index.ts';
import type { Package } from '../../src/sbom/index.ts';

function has(platform: ImagePlatform, packages: Readonly<Record<string, string>>): PlatformPackages {
  const picture = { platform } as Picture;
  const made = Object.entries(packages).map(([name, version]): Package => ({
    ecosystem: 'npm',
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    path: `/usr/lib/node_modules/${name}/package.json`,
    layer: { index: 0, digest: digestOf('layer') },
  }));
  return { picture, packages: made };
}

const names = { before: 'oci:old', after: 'oci:new' };
const amd64 = 'linux/amd64';
const arm64 = 'linux/arm64';

test('the same change on both platforms is told once, one of a single platform names it', () => {
  const diff = compareInventories(
    names,
    [has(amd64, { tar: '7.5.10', gone: '1.0.0', same: '1.0.0' }), has(arm64, { tar: '7.5.10', gone: '1.0.0' })],
    [has(amd64, { tar: '7.5.11', same: '1.0.0', fresh: '2.0.0' }), has(arm64, { tar: '7.5.11' })],
  );
  expect(diff.counts).toEqual({ added: 1, removed: 1, changed: 1 });
  expect(isSame(diff)).toBe(false);
  expect(formatSbomDiff(diff, 'table').split('\n')).toEqual([
    '1 added, 1 removed, 1 changed (linux/amd64 and linux/arm64)',
    'added    npm/fresh          2.0.0   linux/amd64',
    'removed  npm/gone   1.0.0           every',
    'changed  npm/tar    7.5.10  7.5.11  every',
  ]);
});

test('two images with the same packages are the same', () => {
  const one = [has(amd64, { tar: '7.5.11' })];
  const diff = compareInventories(names, one, one);
  expect(isSame(diff)).toBe(true);
  expect(formatSbomDiff(diff, 'table')).toBe('0 added, 0 removed, 0 changed (linux/amd64)');
});

test('a platform that only one image has is not passed over', () => {
  const diff = compareInventories(names, [has(amd64, {}), has(arm64, {})], [has(amd64, {})]);
  expect(isSame(diff)).toBe(false);
  expect(diff.uncompared).toEqual([{ platform: arm64, only: 'before' }]);
  expect(formatSbomDiff(diff, 'table')).toContain('linux/arm64 is only in the before image');
});

test('in Markdown a package’s name cannot become markup', () => {
  const diff = compareInventories(names, [has(amd64, {})], [has(amd64, { 'a|b<img>': '1' })]);
  const text = formatSbomDiff(diff, 'markdown');
  expect(text).toContain('| added | npm/a\\|b&lt;img&gt; |  | 1 | every |');
  expect(text).toContain('| | Package | Before | After | Platform |');
});
