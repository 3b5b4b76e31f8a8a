import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './host.ts';
import { npmVersion } from './packages.ts';
import { run } from './run.ts';

/** npmTarball fetches npm's own package by npm, which holds it to the registry's integrity. */
export async function npmTarball(cache: string): Promise<string> {
  const directory = join(cache, 'npm');
  const target = join(directory, `npm-${npmVersion}.tgz`);
  if (await exists(target)) return target;
  const partial = join(directory, 'partial');
  await mkdir(partial, { recursive: true });
  await run('npm', ['pack', `npm@${npmVersion}`, '--pack-destination', partial, '--silent'], { cwd: partial });
  await rename(join(partial, `npm-${npmVersion}.tgz`), target);
  return target;
}

/** Where this machine's npm fetches from. */
export async function npmRegistry(): Promise<string> {
  const url = (await run('npm', ['config', 'get', 'registry'])).trim();
  return url.endsWith('/') ? url : `${url}/`;
}

/** Docker's predefined build arguments (they never enter an image or its cache key). */
export function proxies(env = process.env): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name] ?? '']] : [])));
}
