import { isAbsolute, join, relative, resolve } from 'node:path';
import { lintDockerfile, lintRules, maxDockerfileBytes } from '../lint/index.ts';
import { AppError, throwAll } from '../errors/index.ts';
import type { Files, Host } from '../host/index.ts';
import type { Finding } from '../core/index.ts';
import type { Report, Suppressed } from '../report/index.ts';

export interface LintRequest {
  /** Paths as the user gave them; empty for every Dockerfile below images/. */
  readonly files: readonly string[];
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path that relative arguments start from. */
  readonly directory: string;
  readonly version: string;
}

const isDockerfile = (name: string): boolean =>
  /^(?:Dockerfile|Containerfile)(?:\.[^/]+)?$/.test(name) && !name.endsWith('.dockerignore');

async function ownDockerfiles(files: Files, root: string): Promise<string[]> {
  const images = join(root, 'images');
  if ((await files.stat(images))?.type !== 'directory') return [];
  const found: string[] = [];
  for (const image of await files.list(images)) {
    const folder = join(images, image);
    if ((await files.stat(folder))?.type !== 'directory') continue;
    for (const name of await files.list(folder)) if (isDockerfile(name)) found.push(join(folder, name));
  }
  return found;
}

/** readText follows no guess: what is no readable text file is one error that says what it is. */
async function readText(files: Files, path: string, shown: string): Promise<string> {
  const where = { file: shown };
  const stat = await files.stat(path);
  if (stat === undefined)
    throw new AppError('lint/missing', 'usage', 'no such file', {
      where,
      hint: 'without arguments, every Dockerfile below images/ is linted',
    });
  if (stat.type === 'directory')
    throw new AppError('lint/not-a-file', 'usage', 'this is a directory', {
      where,
      expected: 'a Dockerfile',
      hint: 'name the Dockerfile inside it',
    });
  if (stat.type === 'other')
    throw new AppError('lint/not-a-file', 'usage', 'this is no regular file', { where, expected: 'a Dockerfile' });
  if (stat.size > maxDockerfileBytes) throw tooLarge(shown, `${stat.size} bytes`);
  let bytes: Buffer;
  try {
    bytes = await files.read(path, maxDockerfileBytes);
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'host/too-large') throw tooLarge(shown, 'more than that');
    throw new AppError('lint/unreadable', 'usage', 'the file cannot be read', { where, cause });
  }
  // Engines take any bytes in comments; a NUL, which no text holds, is refused by the linter.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function tooLarge(file: string, found: string): AppError {
  return new AppError('lint/too-large', 'usage', 'too large for a Dockerfile', {
    where: { file },
    expected: `at most ${maxDockerfileBytes} bytes`,
    found,
  });
}

/** lintFiles lints each file; throws every unreadable file's error at once, before any finding counts. */
export async function lintFiles(host: Pick<Host, 'files'>, request: LintRequest): Promise<Report> {
  const given = request.files.map((file) => resolve(request.directory, file));
  const paths = given.length > 0 ? [...new Set(given)] : await ownDockerfiles(host.files, request.root);
  if (paths.length === 0)
    throw new AppError('lint/nothing', 'usage', 'no Dockerfile below images/', {
      where: { file: join(request.root, 'images') },
      hint: 'runner-image generate, or name the Dockerfiles to lint',
    });
  const findings: Finding[] = [];
  const suppressed: Suppressed[] = [];
  const subjects: string[] = [];
  const errors: AppError[] = [];
  for (const path of paths) {
    const shown = shownPath(path, request);
    try {
      const result = lintDockerfile(shown, await readText(host.files, path, shown));
      findings.push(...result.findings);
      suppressed.push(...result.suppressed);
      subjects.push(shown);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      errors.push(error);
    }
  }
  throwAll(errors);
  return { command: 'lint', version: request.version, rules: lintRules, findings, suppressed, subjects };
}

/** Relative to the project where it lies inside: that is what GitHub and editors want. */
function shownPath(path: string, { root, directory }: LintRequest): string {
  for (const from of [root, directory]) {
    const inside = relative(from, path);
    if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)) return inside;
  }
  return path;
}
