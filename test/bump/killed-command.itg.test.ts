import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { command } from './command.ts';
import { ghRelease, stage } from './stage.ts';

/** git as it is, until it is asked for the state of the files that are about to be written: then it stops. */
const shim = `#!/bin/sh
case "$*" in *status*images/pins.yaml*) echo x >> "$SEEN";; esac
if [ "$(wc -l < "$SEEN")" -ge 2 ]; then echo $$ > "$SEEN.pid"; exec sleep 600; fi
PATH="$REAL_PATH" exec git "$@"
`;

it('runner-image bump, killed with -9 right before it writes: every file is whole, and the next run does it all', async () => {
  const here = await stage();
  here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0', { published: '2025-10-01T00:00:00Z' }));
  const bin = join(here.root, '../bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), shim);
  chmodSync(join(bin, 'git'), 0o755);
  const seen = join(bin, 'seen');
  writeFileSync(seen, '');
  const mirrors = join(here.root, '../mirrors.yaml');
  writeFileSync(mirrors, JSON.stringify(here.mirrors));
  const path = process.env['PATH'] ?? '';
  const program = join(import.meta.dirname, '../../bin/runner-image.mjs');
  const running = spawn(process.execPath, [program, 'bump', 'gh', '--root', here.root, '--mirrors', mirrors], {
    env: { ...process.env, PATH: `${bin}:${path}`, REAL_PATH: path, SEEN: seen, XDG_CACHE_HOME: join(bin, 'cache') },
    stdio: 'ignore',
  });
  onTestFinished(() => void running.kill('SIGKILL'));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => running.on('exit', (_code, signal) => resolve(signal)));
  await expect.poll(() => existsSync(`${seen}.pid`), { timeout: 90_000, interval: 50 }).toBe(true);
  running.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  await expect.poll(() => readFileSync(`${seen}.pid`, 'utf8').trim(), { timeout: 10_000 }).toMatch(/^\d+$/);
  process.kill(Number(readFileSync(`${seen}.pid`, 'utf8')), 'SIGKILL');
  // Its lock is there, and every file of the project as it was.
  expect([existsSync(join(here.root, '.bump/lock')), here.status()]).toEqual([true, '']);
  const { code, stdout } = await command(here, ['bump', 'gh']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('wrote checksums/gh/2.80.0.sha256')]);
  expect(here.text('images/pins.yaml')).toContain('version: 2.80.0');
}, 180_000);
