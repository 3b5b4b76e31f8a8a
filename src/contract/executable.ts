import type { Picture } from '../core/index.ts';
import { basename, resolve, type Tree } from './tree.ts';

/** What the kernel runs when a path is executed, and what /proc/<pid>/exe then shows. */
export type Executable =
  | { readonly $case: 'missing'; readonly at: string }
  | { readonly $case: 'not-executable'; readonly path: string; readonly why: string }
  /** A program of its own; `path` is what /proc/<pid>/exe shows. */
  | { readonly $case: 'binary'; readonly path: string }
  /** A script: the process is its interpreter. */
  | {
      readonly $case: 'script';
      readonly path: string;
      /** As the first line has it. */
      readonly shebang?: string | undefined;
      /** What /proc/<pid>/exe shows, when it could be found out. */
      readonly exe?: string | undefined;
    };

const scriptNames = /\.(?:sh|bash|py|js|mjs|cjs|pl|rb)$/;

/** searchPath returns the absolute directories of PATH; without PATH, those that container runtimes use. */
export function searchPath(env: ReadonlyMap<string, string>): readonly string[] {
  const value = env.get('PATH') ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return value.split(':').filter((directory) => directory.startsWith('/'));
}

/** which finds a command as the runtime and the shell do: a path as it is, a name along PATH. */
export function which(
  tree: Tree,
  command: string,
  env: ReadonlyMap<string, string>,
  workdir = '/',
): string | undefined {
  if (command.includes('/')) {
    const path = command.startsWith('/') ? command : `${workdir === '/' ? '' : workdir}/${command}`;
    return resolve(tree, path).$case === 'found' ? path : undefined;
  }
  return searchPath(env)
    .map((directory) => `${directory}/${command}`)
    .find((path) => {
      const found = resolve(tree, path);
      return found.$case === 'found' && found.entry.type === 'file' && (found.entry.mode & 0o111) !== 0;
    });
}

/** `#!/usr/bin/env -S node --flag` names its interpreter by the first word that is no option or assignment. */
function interpreterOf(line: string): { path: string; viaPath: boolean } | undefined {
  const [program, ...args] = line.slice(2).trim().split(/\s+/);
  if (program === undefined || program === '') return undefined;
  if (basename(program) !== 'env') return { path: program, viaPath: false };
  const named = args.find((word) => !word.startsWith('-') && !word.includes('='));
  return named === undefined ? { path: program, viaPath: false } : { path: named, viaPath: true };
}

function firstLine(picture: Picture, path: string): string | undefined {
  const bytes = picture.contents.get(path);
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0x0a);
  return Buffer.from(bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, 256))).toString('latin1');
}

/**
 * executableAt says what running `path` in the image runs (execve(2)): links are followed, and a
 * `#!` line is followed too, at most four deep as in the kernel. A script whose content was not
 * kept is known by its name's extension.
 */
export function executableAt(picture: Picture, path: string, env: ReadonlyMap<string, string>, depth = 0): Executable {
  const found = resolve(picture.tree, path);
  if (found.$case !== 'found') return { $case: 'missing', at: found.at };
  const { entry } = found;
  if (entry.type !== 'file') return { $case: 'not-executable', path: found.path, why: `it is a ${entry.type}` };
  if ((entry.mode & 0o111) === 0) return { $case: 'not-executable', path: found.path, why: 'it has no x bit' };
  const line = firstLine(picture, found.path);
  if (line?.startsWith('#!') !== true) {
    const named = line === undefined ? scriptNames.test(found.path) : false;
    return { $case: named ? 'script' : 'binary', path: found.path };
  }
  const interpreter = interpreterOf(line);
  if (interpreter === undefined || depth >= 4) return { $case: 'script', path: found.path, shebang: line };
  const program = interpreter.viaPath ? which(picture.tree, interpreter.path, env) : interpreter.path;
  const next = program === undefined ? undefined : executableAt(picture, program, env, depth + 1);
  const exe = next?.$case === 'binary' ? next.path : next?.$case === 'script' ? next.exe : undefined;
  return { $case: 'script', path: found.path, shebang: line, exe };
}
