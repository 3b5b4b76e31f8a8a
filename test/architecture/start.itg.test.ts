import { execFile, spawn } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = join(import.meta.dirname, '../..');
const exec = promisify(execFile);

let root: string;

/** A source whose text is as long as that of any other word of the same length. */
const says = (word: string): string =>
  `export const word: string = '${word}';\nconsole.log(word, import.meta.dirname);\nprocess.exitCode = 0;\n`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'start-'));
  await cp(join(project, 'bin'), join(root, 'bin'), { recursive: true });
  await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
  for (const name of ['scripts', 'src']) await mkdir(join(root, name));
  await chmod(root, 0o755);
  await asksFor('24.16');
  await writeFile(join(root, 'scripts/runner-image.ts'), says('first'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

/** The lowest version of Node that this project's package.json takes. */
async function asksFor(version: string): Promise<void> {
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module', engines: { node: `>=${version}` } }));
}

async function start(...args: readonly string[]): Promise<string> {
  return (await exec(process.execPath, [join(root, 'bin/runner-image.mjs'), ...args])).stdout;
}

const compiled = async (): Promise<string[]> => await readdir(join(root, 'lib/compiled')).catch(() => []);

/** The one file in which Node keeps what it compiled for a command. */
async function keptFile(command: string): Promise<string> {
  const files = await readdir(join(root, 'lib/compiled', command), { recursive: true, withFileTypes: true });
  const [file, ...more] = files.filter((entry) => entry.isFile());
  if (file === undefined || more.length > 0) throw new Error(`${files.length} files`);
  return join(file.parentPath, file.name);
}

describe('the start of runner-image', () => {
  it('keeps what was compiled for each command, and nothing beside its name', async () => {
    expect(await start('build')).toBe(`first ${join(root, 'lib')}\n`);
    await start('../../escape');
    expect((await compiled()).sort()).toEqual(['build', 'help']);
    expect((await stat(await keptFile('build'))).size).toBeGreaterThan(100);
  });

  it('runs a changed source, even when bundle and compiled code are as long as before', async () => {
    await start('build');
    const before = (await readFile(join(root, 'lib/runner-image.cjs'))).length;
    await writeFile(join(root, 'scripts/runner-image.ts'), says('other'));
    expect(await start('build')).toContain('other');
    expect((await readFile(join(root, 'lib/runner-image.cjs'))).length).toBe(before);
    expect(await start('build')).toContain('other');
  });

  it('uses the bundle while no source is newer, and makes it anew when one that went into it is gone', async () => {
    await start();
    const marked = join(root, 'lib/runner-image.cjs');
    const old = new Date('2026-01-01');
    await utimes(marked, old, old);
    await utimes(join(root, 'scripts/runner-image.ts'), old, old);
    await utimes(join(root, 'bin/bundle.mjs'), old, old);
    const { ino } = await stat(marked);
    await start();
    expect((await stat(marked)).ino).toBe(ino);
    await rm(join(root, 'scripts/runner-image.ts'));
    await expect(start()).rejects.toThrow('Could not resolve');
  });

  it('compiles again when the kept code is cut short', async () => {
    await start('build');
    const file = await keptFile('build');
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, whole.length / 2));
    expect(await start('build')).toContain('first');
    expect((await readFile(file)).length).toBeGreaterThan(whole.length / 2);
  });

  it('works for every other user after root has run it, who may neither read nor write what root keeps', async () => {
    await start('build');
    if (process.getuid?.() === 0) {
      // The Node that runs this test may lie where no other user comes.
      const node = join(root, 'node');
      await copyFile(process.execPath, node);
      const other = { uid: 65534, gid: 65534, env: {} };
      const { stdout } = await exec(node, [join(root, 'bin/runner-image.mjs'), 'build'], other);
      expect(stdout).toContain('first');
    } else {
      await chmod(await keptFile('build'), 0);
      expect(await start('build')).toContain('first');
    }
  });

  it('says what to do in a fresh clone, where no package is installed', async () => {
    await rm(join(root, 'node_modules'));
    await writeFile(join(root, 'package-lock.json'), '{}');
    const missing = {
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('run `make install` or `npm ci` in') as string,
    };
    await expect(start('build')).rejects.toMatchObject(missing);
    await asksFor('99.0');
    await expect(start('build')).rejects.toMatchObject(missing);
  });

  it('says where to get a Node in an installed package, which brings none along', async () => {
    await asksFor('99.0');
    await rm(join(root, 'node_modules'));
    await expect(start('build')).rejects.toMatchObject({
      code: 4,
      stderr: expect.stringContaining('install it from https://nodejs.org') as string,
    });
  });

  it('says how to pack a package whose program is missing', async () => {
    await rm(join(root, 'src'), { recursive: true });
    await expect(start('build')).rejects.toMatchObject({
      code: 4,
      stderr: expect.stringContaining('`npm run package`') as string,
    });
  });
});

describe('a Node that is too old', () => {
  /** Stands for the Node of the lock. */
  async function pinned(script: string): Promise<void> {
    await asksFor('99.0');
    await rm(join(root, 'node_modules'));
    const directory = join(root, `node_modules/node-${process.platform}-${process.arch}/bin`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'node'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  function launch(...args: readonly string[]) {
    const child = spawn(process.execPath, [join(root, 'bin/runner-image.mjs'), ...args]);
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal });
      });
    });
    return { child, ended };
  }

  it('hands over to the one of the lock: arguments, streams and exit code', async () => {
    await pinned('shift; printf "<%s>" "$@"; cat; echo progress >&2; exit 3');
    const { child, ended } = launch('plan', 'a b', '$HOME', '');
    child.stdin.end('what was piped');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect({ stdout, stderr, ...(await ended) }).toEqual({
      stdout: '<plan><a b><$HOME><>what was piped',
      stderr: 'progress\n',
      code: 3,
      signal: null,
    });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'hands on %s, and waits until the command has cleaned up',
    async (signal) => {
      // Not a shell's trap: what this process was started with ignored (nohup, a background job), a shell cannot trap.
      const command = `process.on('${signal}', () => { console.log('cleaned'); process.exit(130); });
        console.log('ready'); setInterval(() => {}, 1000)`;
      await pinned(`exec '${process.execPath}' -e "${command}"`);
      const { child, ended } = launch();
      const stdout = text(child.stdout);
      child.stdout.once('data', () => child.kill(signal));
      expect(await ended).toEqual({ code: 130, signal: null });
      expect(await stdout).toBe('ready\ncleaned\n');
    },
  );

  it('ends by the signal that ended the command', async () => {
    await pinned('kill -KILL $$');
    expect(await launch().ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('that is the one of the lock itself never starts itself again', async () => {
    await asksFor('99.0');
    await rm(join(root, 'node_modules'));
    const directory = join(root, `node_modules/node-${process.platform}-${process.arch}/bin`);
    await mkdir(directory, { recursive: true });
    await symlink(process.execPath, join(directory, 'node'));
    await expect(start('build')).rejects.toMatchObject({
      code: 4,
      stderr: expect.stringContaining('needs Node 99.0') as string,
    });
  });
});
