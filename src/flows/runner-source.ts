import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AppError, throwAll } from '../errors/index.ts';
import {
  digestOf,
  labelNames,
  type ContextFile,
  type Definitions,
  type Digest,
  type GitPin,
  type RunnerSource,
} from '../core/index.ts';
import { Git, type Host } from '../host/index.ts';

/** Where the files lie in the build context. */
export const sourceDirectory = 'runner-source';

/** The runner is 158 files of 2 MB; these are far above it and far below what a stray checkout has. */
const limits = { files: 5_000, file: 4 * 1024 * 1024, all: 64 * 1024 * 1024 };

/** Without these the build, or the runner's start, would fail much later. */
const needed = ['pyproject.toml', 'uv.lock', 'main.py', 'ambient_runner/__init__.py'];

export interface LocalRunner {
  readonly source: RunnerSource;
  readonly files: readonly ContextFile[];
}

interface Tracked {
  readonly path: string;
  readonly mode: string;
}

const bad = (code: string, message: string, facts: AppError['facts']): AppError =>
  new AppError(`runner-source/${code}`, 'usage', message, facts);

/** `git ls-files -s -z`: `<mode> <object> <stage>\t<path>`, paths relative to the folder. */
function tracked(listed: string): Tracked[] {
  return listed.split('\0').flatMap((line) => {
    const [, mode, path] = /^(\d{6}) [0-9a-f]+ \d\t([^]+)$/.exec(line) ?? [];
    return mode === undefined || path === undefined ? [] : [{ mode, path }];
  });
}

/** Everything that git's own list shows to be no source: all problems at once. */
function problemsOf(directory: string, files: readonly Tracked[]): AppError[] {
  const at = (path: string): { where: { file: string } } => ({ where: { file: join(directory, path) } });
  const errors: AppError[] = [];
  for (const { path, mode } of files) {
    if (mode === '120000')
      errors.push(
        bad('link', `${path} is a symbolic link`, {
          ...at(path),
          expected: 'regular files',
          hint: 'commit the file itself: what a link points to may lie outside the folder',
        }),
      );
    else if (mode === '160000')
      errors.push(bad('submodule', `${path} is a submodule`, { ...at(path), expected: 'regular files' }));
    else if (/[\0-\x1f\\]/.test(path))
      errors.push(bad('name', `${JSON.stringify(path)} is no name for a context file`, at('')));
  }
  const names = new Set(files.map(({ path }) => path));
  for (const path of needed)
    if (!names.has(path))
      errors.push(
        bad('incomplete', `git tracks no ${path} there`, {
          ...at(path),
          expected: needed.join(', '),
          hint: 'name the folder of the runner: --runner-source components/runners/ambient-runner',
        }),
      );
  if (files.length > limits.files)
    errors.push(bad('too-many', `${files.length} files`, { ...at(''), expected: `at most ${limits.files}` }));
  return errors;
}

async function readFiles(host: Host, directory: string, files: readonly Tracked[]): Promise<readonly ContextFile[]> {
  let all = 0;
  const errors: AppError[] = [];
  const found: ContextFile[] = [];
  for (const { path, mode } of files) {
    const stat = await host.files.stat(join(directory, path));
    const where = { file: join(directory, path) };
    if (stat?.type !== 'file') {
      errors.push(
        bad('missing', `git tracks ${path}, which is ${stat === undefined ? 'not there' : `a ${stat.type}`}`, {
          where,
          hint: 'git restore it, or git rm it',
        }),
      );
      continue;
    }
    all += stat.size;
    if (stat.size > limits.file || all > limits.all) {
      errors.push(
        bad('too-large', `${path} takes the source past its limit`, {
          where,
          expected: `files of at most ${limits.file} bytes, ${limits.all} together`,
          found: `${stat.size} bytes, ${all} so far`,
        }),
      );
      break;
    }
    const digest = digestOf(await host.files.read(join(directory, path), limits.file));
    const name = `${sourceDirectory}/${path}`;
    found.push({ path: name, root: directory, source: path, mode: mode === '100755' ? 0o755 : 0o644, digest });
  }
  throwAll(errors);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** As a pin's digest: sha256 over the sorted lines that sha256sum prints for `./path`. */
function digestOfFiles(files: readonly ContextFile[]): Digest {
  const lines = files.map(({ source, digest }) => Buffer.from(`${digest.replace('sha256:', '')}  ./${source}\n`));
  const hash = createHash('sha256');
  for (const line of lines.sort((a, b) => Buffer.compare(a, b))) hash.update(line);
  return `sha256:${hash.digest('hex')}` as Digest;
}

/** remoteUrl returns `https://host/path` of what git calls origin, without credentials; undefined: there is none. */
export function remoteUrl(said: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)([\w./~-]+?)(?:\.git)?$/.exec(said);
  if (scp !== null && !said.includes('://')) return `https://${scp[1] ?? ''}/${scp[2] ?? ''}`;
  const url = /^(?:https|ssh|git):\/\/(?:[^@/]*@)?([\w.-]+)(?::\d+)?\/([\w./~-]+?)(?:\.git)?\/?$/.exec(said);
  return url === null ? undefined : `https://${url[1] ?? ''}/${url[2] ?? ''}`;
}

/**
 * readRunnerSource reads the runner's source from a folder: exactly the files that git tracks there, as they lie on
 * disk. `dirty`: they are not the commit's. Throws `runner-source/*`, every problem at once.
 */
export async function readRunnerSource(host: Host, directory: string): Promise<LocalRunner> {
  const git = new Git(host, { directory, code: 'runner-source/git' });
  const ask = async (...args: string[]): Promise<string | undefined> => (await git.ask(args))?.trim();
  const isFolder = (await host.files.stat(directory))?.type === 'directory';
  const commit = isFolder ? await ask('rev-parse', '--verify', '--quiet', 'HEAD') : undefined;
  const path = commit === undefined ? undefined : await ask('rev-parse', '--show-prefix');
  if (commit === undefined || path === undefined)
    throw bad('no-work-tree', 'the runner source is no folder of a git work tree with a commit', {
      where: { file: directory },
      expected: 'a clone: its files and its commit go into the record of the image',
    });
  const prefix = path.replace(/\/$/, '');
  const files = tracked(await git.run(['ls-files', '-s', '-z', '--', '.'], 'list the files'));
  throwAll(problemsOf(directory, files));
  const status = await git.run(['status', '--porcelain', '-z', '--untracked-files=no', '--', '.'], 'compare the files');
  const context = await readFiles(host, directory, files);
  const origin = await ask('config', '--get', 'remote.origin.url');
  return {
    files: context,
    source: {
      kind: 'local',
      repository: origin === undefined ? undefined : remoteUrl(origin),
      commit,
      dirty: status !== '',
      path: prefix === '' ? '.' : prefix,
      tree: await ask('rev-parse', '--verify', '--quiet', `HEAD:${prefix}`),
      digest: digestOfFiles(context),
      files: context.length,
    },
  };
}

/** The label says which files, and that no pin held them. */
export const runnerLabel = ({ dirty, digest }: RunnerSource): string => `local${dirty ? '-dirty' : ''}:${digest}`;

/**
 * withRunnerSource puts the folder in the place of the pin `runner`: the same steps, from a context of its own. Throws
 * `runner-source/unpinned` where no image takes that pin.
 */
export function withRunnerSource(definitions: Definitions, { source }: LocalRunner): Definitions {
  const pin = definitions.pins.get('runner');
  const takes = definitions.images.some(({ fragments }) => fragments.includes('runner-source'));
  if (pin?.kind !== 'git' || !takes)
    throw bad('unpinned', 'no image takes its runner from the pin `runner`', { where: { file: definitions.pinsFile } });
  const local: GitPin = {
    ...pin,
    version: 'local',
    repository: source.repository ?? 'local',
    commit: source.commit,
    path: source.path,
    tree: source.tree ?? source.commit,
    digest: source.digest,
    policy: {},
    evidence: [
      {
        kind: 'own-hash',
        source: `${source.files} files of a folder${source.dirty ? ', changed since its commit' : ''}`,
      },
    ],
    absent: [],
  };
  return {
    ...definitions,
    pins: new Map(definitions.pins).set('runner', local),
    images: definitions.images.map((image) => ({
      ...image,
      fragments: image.fragments.map((name) => (name === 'runner-source' ? 'runner-source-local' : name)),
      labels: { ...image.labels, [labelNames.runnerSource]: runnerLabel(source) },
    })),
  };
}
