import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecOptions, ExecResult } from '../../../src/host/index.ts';

export interface NpmPackage {
  /** Version → publish time; its integrity is made from the version unless it is stated. */
  readonly versions: Map<string, { readonly time?: string; readonly integrity?: string }>;
  latest?: string;
  /** What its manifest says of its source. */
  repository?: string;
}

const made = (name: string, version: string): string =>
  `sha512-${createHash('sha512').update(`${name}@${version}`).digest('base64')}`;

/** NpmStub answers the two commands of npm that a bump runs, as npm 11 prints its answers. */
export class NpmStub {
  readonly packages = new Map<string, NpmPackage>();
  readonly calls: string[][] = [];
  /** Message on stderr instead of an answer. */
  failing: string | undefined;

  integrity(name: string, version: string): string | undefined {
    const entry = this.packages.get(name)?.versions.get(version);
    return entry === undefined ? undefined : (entry.integrity ?? made(name, version));
  }

  async run(args: readonly string[], options: ExecOptions): Promise<ExecResult> {
    this.calls.push([...args]);
    if (this.failing !== undefined) return { exitCode: 1, stdout: '', stderr: this.failing };
    if (args[0] === 'view') return this.#view(args[1] ?? '', args.slice(2));
    return this.#lock(options.cwd ?? '');
  }

  #view(what: string, fields: readonly string[]): ExecResult {
    const at = what.indexOf('@', 1);
    const [name, version] = at < 0 ? [what] : [what.slice(0, at), what.slice(at + 1)];
    const found = this.packages.get(name);
    if (found === undefined) return { exitCode: 1, stdout: '', stderr: 'npm error code E404' };
    const integrity = this.integrity(name, version ?? '');
    if (version !== undefined && integrity === undefined)
      return { exitCode: 1, stdout: '', stderr: 'npm error code E404' };
    if (!fields.includes('versions')) {
      return { exitCode: 0, stdout: integrity === undefined ? '' : JSON.stringify(integrity), stderr: '' };
    }
    const versions = [...found.versions.keys()];
    const time = Object.fromEntries(
      [...found.versions].flatMap(([key, { time }]) => (time === undefined ? [] : [[key, time]])),
    );
    const answer = { versions, time, 'dist-tags': found.latest === undefined ? {} : { latest: found.latest } };
    const source = found.repository === undefined ? {} : { 'repository.url': found.repository };
    const whole = fields.includes('dist.integrity') ? { ...answer, ...source, 'dist.integrity': integrity } : answer;
    return { exitCode: 0, stdout: JSON.stringify(whole), stderr: '' };
  }

  async #lock(directory: string): Promise<ExecResult> {
    const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    const wanted: Record<string, string> = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
    };
    const packages: Record<string, unknown> = { '': manifest };
    for (const [name, version] of Object.entries(wanted)) {
      const integrity = this.integrity(name, version);
      if (integrity === undefined)
        return { exitCode: 1, stdout: '', stderr: `npm error code ETARGET ${name}@${version}` };
      packages[`node_modules/${name}`] = { version, integrity };
    }
    const lock = { name: 'x', lockfileVersion: 3, requires: true, packages };
    await writeFile(join(directory, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
    return { exitCode: 0, stdout: '', stderr: '' };
  }
}
