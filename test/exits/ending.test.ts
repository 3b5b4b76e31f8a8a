import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const child = join(import.meta.dirname, 'ending-child.ts');

/** A command as a process of its own; its stdout may be something that takes nothing. */
function run(how: string, stdout: 'pipe' | number = 'pipe') {
  const {
    status,
    stdout: text,
    stderr,
  } = spawnSync(process.execPath, [child, how], {
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
  });
  return { status, stdout: text as string | null, stderr };
}

describe('a process ends as failed', () => {
  test('when nothing is left that its command could wait for, and says what it was', () => {
    const { status, stdout, stderr } = run('never');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toContain('code:     cli/never-ended');
    expect(stderr).toContain('it was waiting for GET http://127.0.0.1/v2/');
    expect(stderr).toContain('cleaned up');
  });

  test('when an error comes out of turn: neither 0 nor "findings"', () => {
    const { status, stderr } = run('uncaught');
    expect(status).toBe(4);
    expect(stderr).toContain('out of turn');
  });

  test('when its result could not be written', () => {
    const { status, stderr } = run('clean', openSync('/dev/full', 'w'));
    expect(status).toBe(3);
    expect(stderr).toMatch(/could not be written to stdout\n +because: .*ENOSPC/);
  });

  test('and its findings stay findings, written or not', () => {
    expect(run('findings').status).toBe(1);
    expect(run('findings', openSync('/dev/full', 'w')).status).toBe(1);
  });
});

test('a command that came to its end, and whose result is written, ends with its own code', () => {
  expect(run('clean')).toEqual({ status: 0, stdout: 'the result\n', stderr: '' });
});

test('a reader that goes away early changes no verdict', () => {
  const pipe = (how: string) =>
    spawnSync('sh', ['-c', `{ "$0" "$1" ${how}; echo $? >&2; } | true`, process.execPath, child], {
      encoding: 'utf8',
    }).stderr;
  expect(pipe('findings')).toBe('1\n');
  expect(pipe('clean')).toBe('0\n');
});
