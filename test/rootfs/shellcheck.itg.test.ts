import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const scripts = [
  'images/openshell/rootfs/runner/entrypoint.sh',
  'images/openshell/rootfs/usr/local/bin/claude',
  'images/openshell/rootfs/sandbox/.bashrc',
  'images/openshell/rootfs/sandbox/.profile',
  'images/standard/rootfs/app/standard-claude-wrapper.sh',
];
/** Run by the tests alone. */
const ours = ['test/bare-root/run.sh', 'test/bare-root/enter.sh', 'src/lab/stand-ins/enter-root.sh'];

async function shellcheck(...args: string[]): Promise<string> {
  // Exit code 1 is findings, which are on stdout; a shellcheck that did not start is no clean script.
  const { stdout } = await promisify(execFile)('shellcheck', ['--format=gcc', ...args]).catch((error: unknown) => {
    const { code, stdout = '' } = error as { code?: unknown; stdout?: string };
    if (code !== 1) throw error;
    return { stdout };
  });
  return stdout;
}

test.each(scripts)('%s is clean at the strictest level, with every optional check', async (script) => {
  expect(await shellcheck('--enable=all', '--severity=style', '--external-sources', script)).toBe('');
});

test.each(ours)('%s is clean', async (script) => {
  expect(await shellcheck('--severity=style', script)).toBe('');
});
