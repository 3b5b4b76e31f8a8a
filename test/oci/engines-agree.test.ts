import { describe, expect, test } from 'vitest';
import { rewriteConfig } from '../../src/oci/import/config.ts';
import { ordered } from '../../src/oci/import/order.ts';
import { parseImageConfig, type Digest } from '../../src/core/index.ts';
import type { TarEntry, TarType } from '../../src/oci/tar/entry.ts';

const epoch = 1_750_000_000;
const entry = (name: string, type: TarType, more: Partial<TarEntry> = {}): TarEntry => ({
  ...{ name, type, mode: type === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, size: 0, mtime: epoch },
  ...{ link: '', devMajor: 0, devMinor: 0, offset: 0, ...more },
});
const names = (...entries: TarEntry[]) =>
  ordered(entries, { epoch, mountPoints: ['/run/build-ca'] }).map(({ name }) => name);

describe('traces of a step’s surroundings', () => {
  test('an empty mount point and untouched /run and /tmp leave the layer', () => {
    const tmp = entry('tmp/', 'directory', { mode: 0o1777 });
    expect(names(entry('run/', 'directory'), entry('run/build-ca/', 'directory'), tmp, entry('a', 'file'))).toEqual([
      'a',
    ]);
  });

  test('what a step really left there stays, and so do other modes and owners', () => {
    const kept = [
      entry('run/', 'directory'),
      entry('run/build-ca/', 'directory'),
      entry('run/build-ca/file', 'file', { size: 1 }),
      entry('tmp/', 'directory', { mode: 0o700 }),
      entry('var/', 'directory'),
    ];
    expect(names(...kept)).toEqual(['run/', 'run/build-ca/', 'run/build-ca/file', 'tmp/', 'var/']);
    expect(names(entry('run/', 'directory', { uid: 1 }))).toEqual(['run/']);
  });

  test('a whiteout is told by its name alone', () => {
    const classic = entry('etc/.wh.issue', 'file', { mode: 0o600, mtime: epoch, uid: 7 });
    const current = entry('etc/.wh.issue', 'file', { mode: 0, mtime: 0 });
    const options = { epoch, mountPoints: [] };
    expect(ordered([classic], options)).toEqual(ordered([current], options));
  });
});

describe('the config', () => {
  const diffIds: (Digest | undefined)[] = [`sha256:${'1'.repeat(64)}` as Digest];
  const config = (runtime: object, history: object[]) =>
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: runtime,
        history,
        rootfs: { type: 'layers', diff_ids: diffIds },
      }),
    );
  const made = [
    { created_by: 'COPY a /b # buildkit', comment: 'buildkit.dockerfile.v0' },
    { created_by: 'ENV A=b', empty_layer: true },
  ];
  test('what Podman says of the container that it built in is left out, and so is what is empty', () => {
    const podman = { Hostname: 'f62965f2924d', Domainname: '', OnBuild: [], Volumes: {}, Env: ['A=b'], User: '1001' };
    const docker = { Hostname: '', OnBuild: null, Volumes: null, Env: ['A=b'], User: '1001', ArgsEscaped: true };
    const of = (runtime: object) => rewriteConfig({ bytes: config(runtime, made), epoch, diffIds }).toString();
    expect(of(podman)).toBe(of(docker));
    expect(of({ ...podman, Volumes: { '/data': {} } })).toContain('"Volumes":{"/data":{}}');
  });

  const rewrite = (bytes: Buffer, facts: object = {}) =>
    parseImageConfig(rewriteConfig({ bytes, epoch, diffIds, ...facts }));

  test('has the Dockerfile’s words where there is one entry for each instruction', () => {
    const { history } = rewrite(config({}, made), { instructions: ['COPY --chmod=0644 a /b', 'ENV A=b'] });
    const created = '2025-06-15T15:06:40Z';
    expect(history).toEqual([
      { created, created_by: 'COPY --chmod=0644 a /b' },
      { created, created_by: 'ENV A=b', empty_layer: true },
    ]);
  });

  test('keeps the engine’s words where the numbers differ', () => {
    const { history } = rewrite(config({}, made), { instructions: ['COPY a /b'] });
    expect(history?.map((one) => one.created_by)).toEqual(['COPY a /b # buildkit', 'ENV A=b']);
  });

  test('keeps no member for Windows and no label of the builder, but the Dockerfile’s value of it', () => {
    const runtime = { ArgsEscaped: true, Cmd: ['x'], Labels: { 'io.buildah.version': '1.28.2', a: 'b' } };
    expect(rewrite(config(runtime, made)).config).toEqual({ Cmd: ['x'], Labels: { a: 'b' } });
    const labels = { 'io.buildah.version': '' };
    expect(rewrite(config(runtime, made), { labels }).config?.Labels).toEqual({ 'io.buildah.version': '', a: 'b' });
  });
});
