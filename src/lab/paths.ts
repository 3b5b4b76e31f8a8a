import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

type Environment = Readonly<Record<string, string | undefined>>;

/** The nearest folder with a package.json: this module runs from its source and from the bundle. */
function findRoot(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findRoot(dirname(directory));
}

export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));
export const labSource = join(projectRoot, 'src/lab/');

export interface LabPaths {
  /** Everything that `lab down` removes. */
  readonly lab: string;
  readonly state: string;
  readonly lock: string;
  /** Sockets and exec roots: a Unix socket's path may not be longer than 107 bytes. */
  readonly run: string;
  /** Downloads and what is made of them; survives `lab down`. */
  readonly cache: string;
  /** Eight hex digits that tell this lab's bridge, binfmt entry and run directory from another lab's. */
  readonly id: string;
}

/** `RUNNER_IMAGE_LAB` moves the lab, `RUNNER_IMAGE_LAB_CACHE` or `XDG_CACHE_HOME` the cache. */
export function labPaths(env: Environment = process.env): LabPaths {
  const lab = resolve(env['RUNNER_IMAGE_LAB'] ?? join(projectRoot, '.lab'));
  const cacheHome = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const id = createHash('sha256').update(lab).digest('hex').slice(0, 8);
  return {
    lab,
    state: join(lab, 'lab.json'),
    lock: `${lab}.lock`,
    run: `/run/openshell-lab-${id}`,
    cache: resolve(env['RUNNER_IMAGE_LAB_CACHE'] ?? join(cacheHome, 'openshell-runner-images')),
    id,
  };
}
