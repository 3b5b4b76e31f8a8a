import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exec } from '../../src/host/exec.ts';

afterEach(() => vi.unstubAllEnvs());

describe('exec', () => {
  it('hands every argument over as it is, whatever a shell would make of it', async () => {
    const hostile = ['$(touch /tmp/pwned)', '`id`', "'; echo x; '", '*', '', 'a\nb', '--', '$HOME', '\\'];
    const { stdout } = await exec('printf', ['<%s>', ...hostile]);
    expect(stdout).toBe(hostile.map((text) => `<${text}>`).join(''));
  });

  it('ignores ZX_PREFIX, ZX_POSTFIX and ZX_SHELL of the environment', async () => {
    vi.stubEnv('ZX_PREFIX', 'echo changed;');
    vi.stubEnv('ZX_POSTFIX', '; echo changed');
    vi.stubEnv('ZX_SHELL', '/bin/false');
    expect(await exec('echo', ['same'])).toMatchObject({ exitCode: 0, stdout: 'same\n' });
  });

  it('reports a non-zero exit with empty stderr as what it is', async () => {
    expect(await exec('false', [])).toMatchObject({ exitCode: 1, stderr: '' });
  });

  it('keeps stdout and stderr apart and gives stderr by line', async () => {
    const lines: string[] = [];
    const result = await exec('sh', ['-c', 'echo out; echo one >&2; echo two >&2'], {
      onStderrLine: (line) => lines.push(line),
    });
    expect(result.stdout).toBe('out\n');
    expect(lines).toEqual(['one', 'two']);
  });

  it('gives stderr by line in whole characters, however it comes in pieces', async () => {
    const line = 'größer – 大きい 🙂';
    const program = `const text = Buffer.from(${JSON.stringify(`${line}\n`.repeat(20))});
      for (const [at] of text.entries()) require('fs').writeSync(2, text, at, 1), Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);`;
    const lines: string[] = [];
    const result = await exec(process.execPath, ['-e', program], { onStderrLine: (text) => lines.push(text) });
    expect(lines).toEqual(Array(20).fill(line));
    expect(result.stderr).toBe(`${line}\n`.repeat(20));
  });

  it('names a missing command and points at doctor', async () => {
    await expect(exec('no-such-command-here', [])).rejects.toMatchObject({
      code: 'host/command-missing',
      exit: 4,
    });
  });

  it('tells a folder that is not there from a command that is not there', async () => {
    await expect(exec('true', [], { cwd: '/no/such/folder' })).rejects.toMatchObject({
      code: 'host/command',
      facts: { where: { file: '/no/such/folder' } },
    });
    await expect(exec('/etc/passwd', [])).rejects.toMatchObject({ code: 'host/command', facts: { found: 'EACCES' } });
  });

  it('ends a command that is aborted, and gives what it said until then', async () => {
    const controller = new AbortController();
    const { exitCode, stderr } = await exec('sh', ['-c', 'echo here >&2; exec sleep 100'], {
      signal: controller.signal,
      onStderrLine: () => {
        controller.abort();
      },
    });
    expect(exitCode).not.toBe(0);
    expect(stderr).toBe('here\n');
  });

  it('starts no shell: not even a process of one stands between', async () => {
    const { stdout } = await exec(process.execPath, [
      '-p',
      'require("fs").readFileSync(`/proc/${process.ppid}/cmdline`, "latin1").split("\\0")[0]',
    ]);
    expect(stdout.trim()).toBe(readFileSync('/proc/self/cmdline', 'latin1').split('\0')[0]);
  });

  it('stops a command that prints more than the limit', async () => {
    await expect(exec('yes', [], { maxBytes: 10_000 })).rejects.toMatchObject({ code: 'host/output-too-large' });
  });

  it('removes a variable that is set to undefined', async () => {
    vi.stubEnv('SECRET_FOR_TEST', 'x');
    const { stdout } = await exec('sh', ['-c', 'echo "${SECRET_FOR_TEST-gone}"'], {
      env: { SECRET_FOR_TEST: undefined },
    });
    expect(stdout).toBe('gone\n');
  });
});
