import type { RuleContext } from './context.ts';
import { which } from './executable.ts';
import { basename, dirname, lookup, resolve, type Tree } from './tree.ts';

/** PythonFacts is what the layers say about the interpreter on PATH. */
export interface PythonFacts {
  /** Where PATH finds it, and the file that it is in the end. */
  readonly command: string;
  readonly executable: string;
  /** Lowest layer index that brought the executable. */
  readonly layer: number;
  /** `3.14`; absent when neither name nor library shows it. */
  readonly version?: string | undefined;
  /** Directories that `import` searches, in the image, present ones only. */
  readonly path: readonly string[];
}

const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');

const minor = (version: string | undefined): string | undefined => /^\d+\.\d+/.exec(version ?? '')?.[0];

/** The standard library's own directory is the proof of a version: `<prefix>/lib/python3.14/os.py`. */
function libraryVersion(tree: Tree, prefix: string): string | undefined {
  for (const lib of ['lib', 'lib64']) {
    const at = `${prefix === '/' ? '' : prefix}/${lib}/python3.`;
    for (let n = 30; n >= 0; n -= 1) if (lookup(tree, `${at}${n}/os.py`) !== undefined) return `3.${n}`;
  }
  return undefined;
}

/** pyvenv.cfg lies beside bin/ of a virtual environment (PEP 405). */
function virtualEnvironment(
  context: RuleContext,
  command: string,
): { prefix: string; version?: string | undefined } | undefined {
  const prefix = dirname(dirname(command));
  const config = text(context.picture.contents.get(`${prefix}/pyvenv.cfg`));
  if (config === '' && !context.picture.tree.has(`${prefix}/pyvenv.cfg`)) return undefined;
  const version = minor(/^version(?:_info)?\s*=\s*(\S+)/m.exec(config)?.[1]);
  return { prefix, version };
}

/** A .pth file adds each of its lines that names a directory (site module's documentation). */
function pthDirectories(context: RuleContext, directory: string): string[] {
  const prefix = `${directory}/`;
  return [...context.picture.contents.keys()]
    .filter((path) => path.startsWith(prefix) && path.endsWith('.pth') && dirname(path) === directory)
    .flatMap((path) => text(context.picture.contents.get(path)).split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(?:#|import\s)/.test(line))
    .map((line) => (line.startsWith('/') ? line : `${directory}/${line}`));
}

function siteDirectories(prefix: string, version: string, isVenv: boolean): string[] {
  const root = prefix === '/' ? '' : prefix;
  const own = [`${root}/lib/python${version}/site-packages`, `${root}/lib64/python${version}/site-packages`];
  if (isVenv) return own;
  // Fedora and Debian install pip's packages below /usr/local, and Debian its own in dist-packages.
  const distribution =
    root === '/usr'
      ? [
          `/usr/local/lib/python${version}/site-packages`,
          `/usr/local/lib64/python${version}/site-packages`,
          `/usr/local/lib/python${version}/dist-packages`,
          '/usr/lib/python3/dist-packages',
        ]
      : [];
  return [...own, ...distribution];
}

/** pythonOf reads which Python the given environment finds, from names and files alone. */
export function pythonOf(
  context: RuleContext,
  env: ReadonlyMap<string, string> = context.env,
): PythonFacts | undefined {
  const { tree } = context.picture;
  const command = which(tree, 'python3', env) ?? which(tree, 'python', env);
  if (command === undefined) return undefined;
  const found = resolve(tree, command);
  if (found.$case !== 'found') return undefined;
  const venv =
    virtualEnvironment(context, command) ??
    found.links.map(({ path }) => virtualEnvironment(context, path)).find((v) => v !== undefined);
  const prefix = dirname(dirname(found.path));
  const named = /^python(3\.\d+)$/.exec(basename(found.path))?.[1];
  const version = named ?? libraryVersion(tree, prefix) ?? venv?.version;
  const library = version === undefined ? [] : siteDirectories(prefix, version, false);
  const site = version === undefined || venv === undefined ? library : siteDirectories(venv.prefix, version, true);
  const given = (env.get('PYTHONPATH') ?? '').split(':').filter((directory) => directory.startsWith('/'));
  const path = [context.profile.application, ...given, ...site];
  return {
    command,
    executable: found.path,
    layer: found.entry.layer,
    version,
    path: [...path, ...site.flatMap((directory) => pthDirectories(context, directory))].filter(
      (directory) => lookup(tree, directory)?.entry.type === 'directory',
    ),
  };
}

/** moduleFile finds what `import name` loads: a package's __init__.py, a module, or a compiled one. */
export function moduleFile(tree: Tree, path: readonly string[], name: string): string | undefined {
  const relative = name.replaceAll('.', '/');
  for (const directory of path) {
    for (const file of [`${relative}/__init__.py`, `${relative}.py`, `${relative}.pyc`]) {
      if (lookup(tree, `${directory}/${file}`)?.entry.type === 'file') return `${directory}/${file}`;
    }
  }
  return undefined;
}
