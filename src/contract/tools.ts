import type { RuleContext } from './context.ts';
import { pythonOf } from './python.ts';
import { basename, dirname } from './tree.ts';

const packageJson = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/;
const distInfo = /\/([^/]+)-([^-/]+)\.dist-info$/;

/** isToolManifest: package.json of a package that was installed globally, not of its dependencies. */
export function isToolManifest(path: string): boolean {
  return packageJson.test(path) && path.indexOf('/node_modules/') === path.lastIndexOf('/node_modules/');
}

function npmVersion(bytes: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null || !('version' in value)) return undefined;
    return typeof value.version === 'string' ? value.version : undefined;
  } catch {
    return undefined;
  }
}

/** Packages that exist for one CPU only carry its name; they come with the package that wants them. */
const perCpu = /x86_64|amd64|x64|aarch64|arm64/;

/** toolVersions lists the versions that files declare: Python, its packages, and globally installed npm packages. */
export function toolVersions(context: RuleContext): Map<string, string> {
  const { picture } = context;
  const versions = new Map<string, string>();
  for (const [path, bytes] of picture.contents) {
    const name = isToolManifest(path) ? packageJson.exec(path)?.[1] : undefined;
    const version = name === undefined ? undefined : npmVersion(bytes);
    if (name !== undefined && version !== undefined && !perCpu.test(name)) versions.set(`npm ${name}`, version);
  }
  const python = pythonOf(context);
  if (python === undefined) return versions;
  versions.set('python', python.version ?? 'unknown');
  const site = new Set(python.path);
  for (const path of context.census.packages) {
    if (!site.has(dirname(path))) continue;
    const [, name, version] = distInfo.exec(`/${basename(path)}`) ?? [];
    if (name !== undefined && version !== undefined) versions.set(`python package ${name}`, version);
  }
  return versions;
}
