import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import { PrivateApt, unpack } from './apt.ts';
import { exists } from './host.ts';
import { suite, type Architecture } from './packages.ts';

/**
 * The peers that interoperability tests and benchmarks run, as Debian builds them: programs that
 * need little of the system and run on the release before. None is installed; they lie in the cache.
 */
const wanted = {
  cosign2: { package: 'cosign', suite, file: 'usr/bin/cosign' },
  cosign: { package: 'cosign', suite: 'sid', file: 'usr/bin/cosign' },
  crane: { package: 'crane', suite: 'sid', file: 'usr/bin/crane' },
  oras: { package: 'oras', suite: 'sid', file: 'usr/bin/oras' },
  'docker-buildx': { package: 'docker-buildx', suite, file: 'usr/libexec/docker/cli-plugins/docker-buildx' },
} as const;

export type ToolName = keyof typeof wanted;
export interface Tool {
  readonly path: string;
  /** The Debian package's version. */
  readonly version: string;
}

/** fetchTools gives the tools' paths, fetching what is not in the cache. */
export async function fetchTools(
  cache: string,
  names: readonly ToolName[] = Object.keys(wanted) as ToolName[],
): Promise<Partial<Record<ToolName, Tool>>> {
  const architecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const tools: Partial<Record<ToolName, Tool>> = {};
  for (const name of names) {
    const { package: packageName, suite: from, file } = wanted[name];
    const debs = await new PrivateApt(cache, from).solve(`tool-${name}`, architecture, [packageName]);
    const deb = debs.get(packageName);
    if (deb === undefined) throw new AppError('lab/tool', 'upstream', `${from} has no package ${packageName}`);
    const version = deb.version.replace(/[^\w.]+/g, '-');
    const path = join(cache, 'tools', `${name}-${version}`, file.split('/').at(-1) ?? name);
    if (!(await exists(path))) {
      const tree = join(cache, 'tools', `${name}-${version}.tree`);
      await unpack(deb, tree);
      await mkdir(join(cache, 'tools', `${name}-${version}`), { recursive: true });
      await copyFile(join(tree, file), `${path}.partial`);
      await chmod(`${path}.partial`, 0o755);
      await rename(`${path}.partial`, path);
      await rm(tree, { recursive: true });
    }
    tools[name] = { path, version: deb.version };
  }
  return tools;
}
