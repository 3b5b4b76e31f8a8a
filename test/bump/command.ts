import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stage.ts';

const project = join(import.meta.dirname, '../..');

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** command runs the real command in a process of its own, against the upstream of this one. */
export async function command(
  it: Pick<Stage, 'root' | 'mirrors'>,
  args: readonly string[],
  mirrors = join(it.root, '../mirrors.yaml'),
  more: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  writeFileSync(mirrors, JSON.stringify(it.mirrors));
  const script = join(project, 'bin/runner-image.mjs');
  // A cache of its own: what the machine's user was answered before is no business of a test.
  const env = { ...process.env, XDG_CACHE_HOME: join(mirrors, '../cache'), ...more };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, ...args, '--root', it.root, '--mirrors', mirrors],
      { encoding: 'utf8', env },
      (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}
