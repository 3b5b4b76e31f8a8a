import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import type { Host } from '../host/index.ts';
import { generatedFiles } from './generate-files.ts';

export interface GeneratedChange {
  /** Relative to the project. */
  readonly path: string;
  readonly kind: 'new' | 'changed' | 'stale';
  /** Unified diff from what is committed to what the definitions say. */
  readonly diff: string;
}

export interface GenerateResult {
  /** Number of files that the definitions make. */
  readonly files: number;
  readonly changes: readonly GeneratedChange[];
}

const generatedName = /^Dockerfile\.[a-z0-9-]+$/;

/** A Dockerfile or policy of a variant that is no longer defined would go on being built by hand. */
async function staleFiles(host: Host, root: string, expected: ReadonlyMap<string, string>): Promise<string[]> {
  const stale: string[] = [];
  const folders = new Set(
    [...expected.keys()].filter((path) => /\/Dockerfile\./.test(path)).map((path) => path.replace(/\/[^/]*$/, '')),
  );
  for (const folder of folders) {
    for (const name of await host.files.list(join(root, folder)))
      if (generatedName.test(name) && !expected.has(`${folder}/${name}`)) stale.push(`${folder}/${name}`);
    const policy = `${folder}/policy`;
    if ((await host.files.stat(join(root, policy)))?.type !== 'directory') continue;
    for (const name of await host.files.list(join(root, policy)))
      if (name.endsWith('.yaml') && !expected.has(`${policy}/${name}`)) stale.push(`${policy}/${name}`);
  }
  return stale.sort();
}

async function compare(host: Host, root: string, expected: ReadonlyMap<string, string>): Promise<GeneratedChange[]> {
  const changes: GeneratedChange[] = [];
  const add = (path: string, kind: GeneratedChange['kind'], before: string, after: string): void => {
    changes.push({
      path,
      kind,
      diff: createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, { context: 3 }),
    });
  };
  for (const [path, text] of expected) {
    const present = await host.files.stat(join(root, path));
    const before = present?.type === 'file' ? await host.files.readText(join(root, path)) : undefined;
    if (before === undefined) add(path, 'new', '', text);
    else if (before !== text) add(path, 'changed', before, text);
  }
  for (const path of await staleFiles(host, root, expected))
    add(path, 'stale', await host.files.readText(join(root, path)), '');
  return changes;
}

/**
 * generate brings every generated file up to date, or with `check` only reports what is not. All
 * texts are rendered before the first file is written, and each is written whole or not at all.
 */
export async function generate(
  host: Host,
  options: {
    readonly root: string;
    readonly check: boolean;
    /** Texts that are made elsewhere (docs/cli.md, from the commands), by path relative to the project. */
    readonly pages?: ReadonlyMap<string, string> | undefined;
  },
): Promise<GenerateResult> {
  const expected = new Map([...(await generatedFiles(host, options.root)), ...(options.pages ?? [])]);
  const changes = await compare(host, options.root, expected);
  if (!options.check)
    for (const { path, kind } of changes) {
      if (kind === 'stale') await host.files.remove(join(options.root, path));
      else await host.files.write(join(options.root, path), expected.get(path) ?? '');
    }
  return { files: expected.size, changes };
}
