import type { Declared } from '../component.ts';

const metadataFile = /\/(?:[^/]+\.dist-info\/METADATA|[^/]+\.egg-info\/PKG-INFO|[^/]+\.egg-info)$/;

/** isPythonMetadata: METADATA of a wheel, PKG-INFO of an egg, or an egg-info file of the distribution. */
export function isPythonMetadata(path: string): boolean {
  return metadataFile.test(path);
}

/** readPythonMetadata reads the header of core metadata (packaging.python.org, core-metadata). */
export function readPythonMetadata(text: string): Declared | undefined {
  const header = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'mi').exec(header)?.[1]?.trim();
  const name = field('Name');
  const version = field('Version');
  if (name === undefined || version === undefined || name === '' || version === '') return undefined;
  const license = field('License-Expression') ?? shortLicense(field('License')) ?? classified(header);
  return {
    ecosystem: 'pypi',
    name,
    version,
    license,
    // purl-spec, types/pypi: lower case, and runs of -_. become one dash.
    purl: { type: 'pypi', name: name.toLowerCase().replace(/[-_.]+/g, '-'), version },
  };
}

/** Most distributions say it by a classifier alone: `License :: OSI Approved :: MIT License`. Its words are kept as they are. */
function classified(header: string): string | undefined {
  const lines = header.matchAll(/^Classifier: ?License :: (.*)$/gim);
  // `OSI Approved` by itself says who approved it, not what it is.
  const names = [...lines].map(([, path = '']) => path.trim().split(' :: ').at(-1) ?? '');
  const known = [...new Set(names)].filter((name) => name !== '' && name !== 'OSI Approved');
  return known.length === 0 ? undefined : shortLicense(known.join('; '));
}

/** The License field sometimes holds the whole text; then it names nothing. */
function shortLicense(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text === 'UNKNOWN' || text.length > 100 ? undefined : text;
}
