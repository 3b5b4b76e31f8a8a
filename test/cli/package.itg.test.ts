import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const exec = promisify(execFile);
const checkout = join(import.meta.dirname, '../..');

let work: string;
let tarball: string;
/** A Node that every user may run; the one that runs this test may lie where no other user comes. */
let node: string;

const inWork = (...names: readonly string[]): string => join(work, ...names);
const program = (): string => inWork('prefix/bin/runner-image');

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'package-'));
  await chmod(work, 0o755);
  node = inWork('node');
  await copyFile(process.execPath, node);
  await exec('npm', ['run', '--silent', 'package', '--', '--silent', '--pack-destination', work], { cwd: checkout });
  tarball = inWork(`${manifest.name}-${manifest.version}.tgz`);
  await exec('npm', ['install', '--global', '--offline', '--prefix', inWork('prefix'), tarball], { cwd: work });
  await mkdir(inWork('project/deep/er'), { recursive: true });
  await mkdir(inWork('elsewhere'));
  for (const name of ['images', 'checksums'])
    await cp(join(checkout, name), inWork('project', name), { recursive: true });
});

afterAll(async () => {
  await rm(work, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(cwd: string, args: readonly string[], user: { uid?: number; gid?: number } = {}): Promise<Ended> {
  const env = { PATH: `${dirname(node)}:${process.env['PATH'] ?? ''}`, HOME: work };
  try {
    return { code: 0, ...(await exec(program(), args, { cwd: inWork(cwd), env, ...user })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

const digestIn = ({ stdout }: Ended): unknown => (JSON.parse(stdout) as { inputDigest?: unknown }).inputDigest;

async function sizeOf(path: string): Promise<number> {
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

describe('the package, installed globally from its tarball', () => {
  test('is one folder of less than 10 MB, for which nothing else was fetched', async () => {
    const modules = inWork('prefix/lib/node_modules');
    expect((await readdir(modules)).filter((name) => !name.startsWith('.'))).toEqual([manifest.name]);
    expect(await readdir(join(modules, manifest.name))).not.toContain('node_modules');
    expect(await sizeOf(modules)).toBeLessThan(10_000_000);
  });

  test('tells its version anywhere', async () => {
    expect(await run('elsewhere', ['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('plans the project around the working directory, as the checkout plans it', async () => {
    const args = ['plan', 'openshell', '--json'];
    const { stdout } = await exec(process.execPath, [join(checkout, 'bin/runner-image.mjs'), ...args], {
      cwd: checkout,
    });
    const expected = (JSON.parse(stdout) as { inputDigest: string }).inputDigest;
    expect(expected).toMatch(/^sha256:/);
    expect(digestIn(await run('project/deep/er', args))).toBe(expected);
    expect(digestIn(await run('elsewhere', [...args, '--root', '../project']))).toBe(expected);
    // Another user may not write beside the program, which only costs time.
    if (process.getuid?.() === 0)
      expect(digestIn(await run('project', args, { uid: 65534, gid: 65534 }))).toBe(expected);
  });

  test.each([[['plan']], [['pins', 'verify']], [['generate', '--check']], [['lint']], [['build', 'openshell']]])(
    '%j says that there is no project elsewhere, and what to do',
    async (args) => {
      const { code, stdout, stderr } = await run('elsewhere', args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('this command works on a project, and there is none here');
      expect(stderr).toContain('--root DIR');
      expect(stderr).toContain('cli/no-project');
    },
  );

  test('lints any Dockerfile', async () => {
    await writeFile(
      inWork('elsewhere/Dockerfile'),
      'FROM docker.io/library/debian:latest\nRUN curl -s https://a.example | sh\n',
    );
    const { code, stdout } = await run('elsewhere', ['lint', 'Dockerfile', '--json']);
    expect(code).toBe(1);
    expect(stdout).toContain('"Dockerfile"');
  });

  test('checks and verifies any image', async () => {
    await layout(inWork('elsewhere/image'));
    const checked = await run('elsewhere', ['check', 'oci:image', '--profile', 'standard', '--json']);
    expect(checked.stderr).not.toContain('error:');
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain('contract/');
    const reference = `127.0.0.1:1/a/b@sha256:${'0'.repeat(64)}`;
    await writeFile(inWork('elsewhere/key.pub'), publicKey);
    const verified = await run('elsewhere', ['verify', reference, '--key', 'key.pub']);
    expect([verified.code, verified.stderr]).toEqual([3, expect.stringContaining('127.0.0.1:1')]);
    expect((await run('elsewhere', ['check-ref', reference])).code).toBe(0);
  });
});

test('npx runs the tarball in any folder, without installing it', async () => {
  const args = ['--yes', '--offline', '--package', tarball, 'runner-image', '--version'];
  const { stdout } = await exec('npx', args, { cwd: inWork('elsewhere') });
  expect(stdout).toBe(`${manifest.version}\n`);
});

const publicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
`;

/** Writes a layout of one image with one file, which breaks most of the contract. */
async function layout(directory: string): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'etc/hostname' }, 'here\n');
  archive.finalize();
  const tar = await buffer(archive);
  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  const add = async (mediaType: string, content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    await writeFile(join(directory, 'blobs/sha256', sha256(bytes)), bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const vendor = 'application/vnd.oci.image';
  const layer = await add(`${vendor}.layer.v1.tar+gzip`, gzipSync(tar));
  const platform = { os: 'linux', architecture: 'amd64' };
  const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] };
  const config = await add(`${vendor}.config.v1+json`, { ...platform, config: {}, rootfs });
  const content = { schemaVersion: 2, mediaType: `${vendor}.manifest.v1+json`, config, layers: [layer] };
  const image = { ...(await add(content.mediaType, content)), platform };
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [image] }));
}
