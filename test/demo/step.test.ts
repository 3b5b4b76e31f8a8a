import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../src/lab/paths.ts';

let logFile = '';
beforeEach(async () => {
  logFile = join(await mkdtemp(join(tmpdir(), 'demo-step-')), 'demo.log');
});
afterEach(async () => {
  await rm(join(logFile, '..'), { recursive: true });
});

/** Runs steps as the demo does, in a process of their own: a failure ends it. */
const demo = (steps: string, verbose = false) =>
  new Promise<{ code: unknown; stdout: string }>((resolve) => {
    const module = JSON.stringify(join(projectRoot, 'scripts/demo/step.ts'));
    const begin = `begin(${JSON.stringify({ verbose, logFile })});`;
    const program = `import { begin, print, step } from ${module}; ${begin} ${steps}; print('the end\\n'); process.exit(0);`;
    const env = { PATH: process.env['PATH'], FORCE_COLOR: '0' };
    execFile(process.execPath, ['--input-type=module', '-e', program], { env }, (error, stdout) => {
      resolve({ code: error?.code ?? 0, stdout });
    });
  });

describe('a step of the demo', () => {
  const speaks = `{ words: ['sh', '-c', 'echo to stdout; echo to stderr >&2'], env: { SHOWN: 'yes' } }`;

  test('is one line, and the log has the command and what it said on either stream', async () => {
    const { code, stdout } = await demo(`await step('speak', 'it speaks', ${speaks}, ${speaks})`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^speak +it speaks … ✓ \d+\.\d s\nthe end\n$/);
    const once = "\n# it speaks\n$ SHOWN=yes sh -c $'echo to stdout; echo to stderr >&2'\nto stdout\nto stderr\n";
    expect(await readFile(logFile, 'utf8')).toBe(once + once);
  });

  test('that must be refused goes well by that exit code only', async () => {
    const refused = (exit: number) =>
      `await step('deny', 'refused', { words: ['sh', '-c', 'exit ${exit}'], expected: 1 })`;
    expect(await demo(refused(1))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ ✓ .*\nthe end/) as string,
    });
    const passed = await demo(refused(0));
    expect(passed).toMatchObject({ code: 1, stdout: expect.stringContaining('exit code 0 instead of 1') as string });
    expect(passed.stdout).not.toContain('the end');
  });

  test('that fails ends the demo by its exit code, with the end of what it said and the command', async () => {
    const fails = `await step('fail', 'fails', { words: ['sh', '-c', 'seq 1 100; exit 3'] })`;
    const { code, stdout } = await demo(`await step('speak', 'it speaks', ${speaks}); ${fails}`);
    expect(code).toBe(3);
    expect(stdout).toContain('\n99\n100\n');
    expect(stdout).not.toContain('\n50\n');
    expect(stdout).toContain("exit code 3 instead of 0 from\n  sh -c $'seq 1 100; exit 3'\n");
    expect(stdout).toContain('demo.log has what came before.');
    expect(stdout).not.toContain('to stdout');
    expect(stdout).not.toContain('the end');
  });

  test('shows everything on the terminal when that is asked for', async () => {
    const { stdout } = await demo(`await step('speak', 'it speaks', ${speaks})`, true);
    expect(stdout).toContain("$ SHOWN=yes sh -c $'echo to stdout; echo to stderr >&2'\nto stdout\n");
    await expect(readFile(logFile)).rejects.toThrow('ENOENT');
  });
});
