import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { commands } from '../../scripts/commands.ts';

const program = join(import.meta.dirname, '../../bin/runner-image.mjs');
const scripts: Record<string, string> = {};

beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish'])
    scripts[shell] = spawnSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' }).stdout;
});

/** What bash offers for the last of these words, by the function that the script registers. */
function offered(...words: readonly string[]): string[] {
  const ask = `set -u
${scripts['bash'] ?? ''}
complete -p runner-image >/dev/null || exit 9
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_runner_image
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', ask, 'bash', 'runner-image', ...words], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes every command, and what begins like one', () => {
  expect(offered('')).toEqual([...Object.keys(commands), '--help', '--version']);
  expect(offered('pub')).toEqual(['publish']);
});

test('bash completes the options of the command, its own and those of all', () => {
  expect(offered('plan', '--')).toEqual(['--json', '--quiet', '--root', '--pins', '--runner-source', '--help']);
  expect(offered('check', 'oci:x', '--der')).toEqual(['--derived-from']);
});

test('bash leaves every other word to file names', () => {
  expect(offered('lint', 'Docker')).toEqual([]);
  expect(offered('no-such-command', '--')).toEqual([]);
});

test('zsh and fish know the same commands and options', () => {
  expect(scripts['zsh']).toContain(scripts['bash']);
  expect(scripts['fish']).toMatch(
    /^complete -c runner-image -n '__fish_seen_subcommand_from check' -l derived-from -d '/m,
  );
  expect(scripts['fish']?.match(/__fish_use_subcommand/g)).toHaveLength(Object.keys(commands).length);
});

test('another shell is wrong use', () => {
  const { status, stderr } = spawnSync(process.execPath, [program, 'completion', 'tcsh'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('expected: bash, zsh, fish')]);
});
