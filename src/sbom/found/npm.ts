import type { Declared } from '../component.ts';

const packageFile = /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;

/** isNpmPackageFile: package.json of an installed package, global or nested, not of its inner folders. */
export function isNpmPackageFile(path: string): boolean {
  return packageFile.test(path);
}

/** readNpmPackage returns undefined for a package.json that names no package (a marker or a fixture). */
export function readNpmPackage(text: string): Declared | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, version, license } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return undefined;
  const slash = name.startsWith('@') ? name.indexOf('/') : -1;
  const scope = slash < 0 ? undefined : name.slice(0, slash);
  const bare = name.slice(slash + 1);
  const declared = licenseOf(license);
  return {
    ecosystem: 'npm',
    name,
    version,
    license: declared,
    purl: { type: 'npm', namespace: scope, name: bare, version },
  };
}

/** Old packages write `{ "type": "MIT" }` instead of a string. */
function licenseOf(license: unknown): string | undefined {
  if (typeof license === 'string' && license !== '') return license;
  const type = (license as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
}
