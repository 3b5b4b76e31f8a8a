import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const identity = ['-c', 'user.name=Upstream', '-c', 'user.email=upstream@example.com', '-c', 'commit.gpgsign=false'];

export function git(directory: string, args: readonly string[], env: Record<string, string> = {}): string {
  return execFileSync('git', ['-C', directory, ...identity, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** commitFiles writes files and commits them on a day; gives the commit. */
export function commitFiles(directory: string, files: Readonly<Record<string, string>>, day: string): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  git(directory, ['add', '--all']);
  const date = `${day}T12:00:00Z`;
  git(directory, ['commit', '--quiet', '--allow-empty', '-m', day], {
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
  });
  return git(directory, ['rev-parse', 'HEAD']);
}

export function newRepository(directory: string): void {
  mkdirSync(directory, { recursive: true });
  git(directory, ['init', '--quiet', '--initial-branch=main']);
}
