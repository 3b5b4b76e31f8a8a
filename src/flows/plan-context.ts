import { dirname, join } from 'node:path';
import { AppError, throwAll } from '../errors/index.ts';
import { digestOf, type ContextFile } from '../core/index.ts';
import type { Host } from '../host/index.ts';

/** Upper limit of one context file, in bytes: scripts, settings and locks. */
const maxContextBytes = 16 * 1024 * 1024;

/** badStep names the first step of a path that is missing, a link, or of the wrong kind. */
async function badStep(host: Host, root: string, source: string): Promise<string | undefined> {
  const parts = source.split('/');
  for (let count = 1; count <= parts.length; count += 1) {
    const path = parts.slice(0, count).join('/');
    const wanted = count === parts.length ? 'file' : 'directory';
    const stat = await host.files.stat(join(root, path));
    if (stat === undefined) return `${path} is missing`;
    if (stat.type === 'symlink') return `${path} is a symbolic link`;
    if (stat.type !== wanted) return `${path} is no ${wanted}`;
  }
  return undefined;
}

/**
 * contextFiles reads the files that a Dockerfile takes and returns them with their digests, by path.
 * A missing file, and a link anywhere on the way to one, is an error (`plan/context-file`): what a
 * link points to is not what was reviewed. All problems are reported at once.
 */
export async function contextFiles(
  host: Host,
  root: string,
  dockerfile: string,
  files: readonly { readonly path: string; readonly mode: number }[],
): Promise<readonly ContextFile[]> {
  const errors: AppError[] = [];
  const read = files.map(async ({ path, mode }): Promise<ContextFile[]> => {
    const source = `${dirname(dockerfile)}/${path}`;
    const problem = await badStep(host, root, source);
    if (problem !== undefined) {
      errors.push(
        new AppError('plan/context-file', 'usage', `a context file cannot be used: ${problem}`, {
          expected: 'a regular file',
          where: { file: source },
          hint:
            path.startsWith('policy/') || path.startsWith('npm/')
              ? 'runner-image generate'
              : 'restore the file, or take it out of the fragment that names it',
        }),
      );
      return [];
    }
    return [{ path, source, mode, digest: digestOf(await host.files.read(join(root, source), maxContextBytes)) }];
  });
  const found = (await Promise.all(read)).flat();
  throwAll(errors.sort((a, b) => ((a.facts.where?.file ?? '') < (b.facts.where?.file ?? '') ? -1 : 1)));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
