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

test.each(scripts)('%s is clean at the strictest level, with every optional check', async (script) => {
  const args = ['--enable=all', '--severity=style', '--external-sources', '--format=gcc', script];
  const { stdout } = await promisify(execFile)('shellcheck', args).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe('');
});
