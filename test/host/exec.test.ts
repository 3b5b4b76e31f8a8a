import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { secretVariables } from '../../src/host/child-env.ts';
import { exec } from '../../src/host/exec.ts';

afterEach(() => vi.unstubAllEnvs());

describe('exec', () => {
  it('hands every argument over as it is, whatever a shell would make of it', async () => {
    const hostile = ['$(touch /tmp/pwned)', '`id`', "'; echo x; '", '*', '', 'a\nb', '--', '$HOME', '\\'];
    const { stdout } = await exec('printf', ['<%s>', ...hostile]);
    expect(stdout).toBe(hostile.map((text) => `<${text}>`).join(''));
  });

  it('is changed by nothing in the environment: neither what zx reads there nor what bash reads', async () => {
    const module = join(import.meta.dirname, '../../src/host/exec.ts');
    const script = `import { exec } from ${JSON.stringify(module)};
      console.log(JSON.stringify(await exec('pwd', [])))`;
    const { stdout, stderr } = await exec(process.execPath, ['--input-type=module', '-e', script], {
      env: {
        ZX_PREFIX: 'echo changed;',
        ZX_POSTFIX: '; echo changed',
        ZX_SHELL: '/bin/false',
        ZX_CWD: '/',
        ZX_TIMEOUT: '1',
        ZX_VERBOSE: 'true',
        ZX_QUIET: 'false',
        ZX_DETACHED: 'true',
        BASH_ENV: '/dev/stdin',
        SHELLOPTS: 'noexec',
        'BASH_FUNC_exec%%': '() { echo changed; }',
      },
      input: 'echo changed',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ exitCode: 0, stdout: `${process.cwd()}\n`, stderr: '' });
  });

  it('refuses an argument that a command line cannot hold', async () => {
    await expect(exec('echo', ['a\0b'])).rejects.toMatchObject({ code: 'host/argument', exit: 2 });
  });

  it('runs the program, not what a shell has under the same name', async () => {
    const { exitCode, stderr } = await exec('type', ['type']).catch((error: unknown) => ({
      exitCode: (error as { code: string }).code,
      stderr: '',
    }));
    expect([exitCode, stderr]).toEqual(['host/command-missing', '']);
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

  it('takes 127 for a result when it is the command that says so', async () => {
    expect(await exec('sh', ['-c', 'no-such-command-here'])).toMatchObject({ exitCode: 127 });
    expect(await exec('sh', ['-c', 'echo "exec: sh: not found" >&2; exit 127'])).toMatchObject({
      exitCode: 127,
      stderr: 'exec: sh: not found\n',
    });
  });

  it('looks for a command where the given PATH says', async () => {
    await expect(exec('ls', [], { env: { PATH: '/no/such/folder:/bin/../bin' } })).resolves.toMatchObject({
      exitCode: 0,
    });
    await expect(exec(process.execPath, ['-v'], { env: { PATH: '/bin' } })).resolves.toMatchObject({ exitCode: 0 });
    await expect(exec('apt-get', [], { env: { PATH: '/bin/true:/opt' } })).rejects.toMatchObject({
      code: 'host/command-missing',
    });
  });

  it('tells a folder that is not there from a command that is not there', async () => {
    await expect(exec('true', [], { cwd: '/no/such/folder' })).rejects.toMatchObject({
      code: 'host/command',
      facts: { where: { file: '/no/such/folder' } },
    });
    await expect(exec('/etc/passwd', [])).rejects.toMatchObject({
      code: 'host/command',
      facts: { found: expect.stringContaining('Permission denied') as string },
    });
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

  it('reads characters whole, wherever the pipe cuts them', async () => {
    const lines: string[] = [];
    // Each byte by itself; 20 ms apart, so that every one is a chunk of its own.
    const slowly = String.raw`
      const bytes = Buffer.from('grün €\n😀 end');
      const next = (at) => at < bytes.length && (process.stderr.write(bytes.subarray(at, at + 1)),
        process.stdout.write(bytes.subarray(at, at + 1)), setTimeout(next, 20, at + 1));
      next(0);`;
    const { stdout, stderr } = await exec(process.execPath, ['-e', slowly], {
      onStderrLine: (line) => lines.push(line),
    });
    expect(lines).toEqual(['grün €', '😀 end']);
    expect([stdout, stderr]).toEqual(['grün €\n😀 end', 'grün €\n😀 end']);
  });

  it('gives a command that reads its input an end of it', async () => {
    expect(await exec('cat', [], { timeout: 5000 })).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('ends a command whose time is over', async () => {
    const started = Date.now();
    expect((await exec('sleep', ['60'], { timeout: 200 })).exitCode).not.toBe(0);
    expect(Date.now() - started).toBeLessThan(30_000);
  });

  it('sends what is large to a stream without keeping it', async () => {
    const sink = new PassThrough({ highWaterMark: 64 * 1024 });
    let size = 0;
    sink.on('data', (chunk: Buffer) => (size += chunk.length));
    const before = process.memoryUsage().rss;
    const { stdout } = await exec('head', ['-c', '400000000', '/dev/zero'], { stdout: sink });
    expect([stdout, size]).toEqual(['', 400_000_000]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('ends also when a command is stopped, or its reader fails, while it writes to a stream', async () => {
    const controller = new AbortController();
    const aborted = new PassThrough().on('error', () => undefined);
    aborted.once('data', () => {
      controller.abort();
    });
    expect((await exec('yes', [], { stdout: aborted, signal: controller.signal })).exitCode).not.toBe(0);
    expect((await exec('yes', [], { stdout: new PassThrough(), timeout: 300 })).exitCode).not.toBe(0);
    const full = new Writable({
      write: (_chunk, _encoding, callback) => {
        callback(new Error('disk full'));
      },
    });
    await expect(exec('yes', [], { stdout: full })).rejects.toThrow('disk full');
  });

  it('keeps the end of an endless stderr', async () => {
    const { stderr } = await exec('sh', ['-c', 'yes x | head -c 40000000 >&2; echo last >&2']);
    expect(stderr.length).toBeLessThan(17 * 1024 * 1024);
    expect(stderr.endsWith('x\nlast\n')).toBe(true);
  });

  it('hands no secret of this program to a command, unless it is asked to', async () => {
    const signing = ['ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_RUNTIME_TOKEN'];
    const passwords = [
      'COSIGN_PASSWORD',
      'RUNNER_IMAGE_KEY_PASSPHRASE',
      'REGISTRY_PASSWORD',
      'quay_passwd',
      'PASSWORD',
    ];
    for (const name of [...secretVariables, ...signing, ...passwords]) vi.stubEnv(name, 'hunter2');
    expect((await exec('env', [])).stdout).not.toContain('hunter2');
    expect((await exec('env', [], { env: { QUAY_TOKEN: 'asked' } })).stdout).toContain('QUAY_TOKEN=asked\n');
  });
});
