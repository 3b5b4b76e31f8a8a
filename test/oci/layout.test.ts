import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collectGarbage, createLayout, lockLayout, openLayout, validateLayout } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { sha256, temporaryDirectory } from './support.ts';

const host = fakeHost();
const target = () => join(temporaryDirectory(), 'dist');

describe('a layout', () => {
  it('keeps what is put under its digest and gives it back verified', async () => {
    const layout = await createLayout(host, target());
    const blob = await layout.put(Readable.from([Buffer.from('ab'), Buffer.from('cd')]));
    expect(blob).toEqual({ digest: sha256('abcd'), size: 4 });
    expect(await layout.has(blob)).toBe(true);
    expect((await layout.read(blob)).toString()).toBe('abcd');
  });

  it.each([
    ['another digest', { digest: sha256('other'), size: 4 }, 'oci/digest-mismatch'],
    ['more bytes', { digest: sha256('abcd'), size: 3 }, 'oci/size-mismatch'],
    ['fewer bytes', { digest: sha256('abcd'), size: 5 }, 'oci/size-mismatch'],
  ])('refuses a blob with %s and keeps nothing', async (_what, expected, code) => {
    const directory = target();
    const layout = await createLayout(host, directory);
    await expect(layout.put(Readable.from([Buffer.from('abcd')]), expected)).rejects.toMatchObject({ code });
    expect(readdirSync(join(directory, 'blobs/sha256'))).toEqual([]);
  });

  it('notices a blob whose bytes were changed on the disk, and one that is gone', async () => {
    const directory = target();
    const layout = await createLayout(host, directory);
    const blob = await layout.put(Readable.from([Buffer.from('abcd')]));
    writeFileSync(join(directory, 'blobs/sha256', blob.digest.slice(7)), 'abce');
    await expect(layout.read(blob)).rejects.toMatchObject({ code: 'oci/digest-mismatch' });
    await expect(layout.read({ digest: sha256('gone'), size: 4 })).rejects.toMatchObject({ code: 'oci/blob-missing' });
    await expect(layout.read(blob, 3)).rejects.toMatchObject({ code: 'oci/too-large' });
  });

  it('is never made in a directory that holds something else', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'thesis.txt'), 'mine');
    await expect(createLayout(host, directory)).rejects.toMatchObject({ code: 'oci/not-a-layout' });
    await expect(openLayout(host, join(directory, 'absent'))).rejects.toMatchObject({ code: 'oci/not-a-layout' });
    writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"9"}');
    await expect(openLayout(host, directory)).rejects.toMatchObject({ facts: { found: 'imageLayoutVersion "9"' } });
  });

  it('garbage collection removes what index.json does not lead to, half-written files included', async () => {
    const directory = target();
    const layout = await createLayout(host, directory);
    const config = await layout.put(Readable.from([Buffer.from('{}')]));
    const lost = await layout.put(Readable.from([Buffer.from('lost')]));
    const manifest = await layout.putJson('application/vnd.oci.image.manifest.v1+json', {
      schemaVersion: 2,
      config: { mediaType: 'application/x', ...config },
      layers: [],
    });
    await layout.writeIndex({ schemaVersion: 2, manifests: [manifest] });
    writeFileSync(join(directory, 'blobs/sha256/.layer.0123.tmp'), 'half');
    expect(await collectGarbage(host, layout)).toEqual({ removed: 2, bytes: 8 });
    expect(await layout.has(lost)).toBe(false);
    expect(readdirSync(join(directory, 'blobs/sha256')).sort()).toEqual(
      [config, manifest].map(({ digest }) => digest.slice(7)).sort(),
    );
    expect(await validateLayout(host, directory)).toEqual([]);
  });

  it('the validator reports every fault at once', async () => {
    const directory = target();
    const layout = await createLayout(host, directory);
    const lost = await layout.put(Readable.from([Buffer.from('lost')]));
    const manifest = await layout.putJson('application/vnd.oci.image.manifest.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/x-other',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('absent'), size: 6 },
      layers: [],
    });
    await layout.writeIndex({ schemaVersion: 2, manifests: [manifest] });
    const problems = await validateLayout(host, directory);
    expect(problems.map(({ problem }) => problem)).toEqual([
      'media type application/x-other inside, application/vnd.oci.image.manifest.v1+json in its descriptor',
      expect.stringContaining('lacks a blob'),
      'a blob that nothing leads to',
    ]);
    expect(problems[2]?.at).toContain(lost.digest.slice(7));
  });
});

describe('two builds into the same layout', () => {
  it('the second is told which process holds it, and may come when the first is done', async () => {
    const directory = target();
    const first = await lockLayout(host, directory);
    await expect(lockLayout(host, directory)).rejects.toMatchObject({
      code: 'oci/locked',
      facts: { found: expect.stringContaining(`process ${process.pid}, since 2026-`) as string },
    });
    await first.assertHeld();
    await first.release();
    const second = await lockLayout(host, directory);
    await second.release();
    expect(existsSync(`${directory}.lock`)).toBe(false);
    expect(readdirSync(join(directory, '..'))).toEqual([]);
  });

  it('of many that start together exactly one wins', async () => {
    const directory = target();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockLayout(host, directory)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(join(directory, '..'))).toEqual(['dist.lock']);
  });

  const leave = (directory: string, holder: object) => {
    mkdirSync(`${directory}.lock`);
    writeFileSync(join(`${directory}.lock`, 'holder.json'), JSON.stringify({ since: 'then', nonce: 'n', ...holder }));
  };

  it('a lock whose process is gone is taken over, and the story says so', async () => {
    const directory = target();
    const { pid } = spawnSync('true');
    leave(directory, { pid, host: hostname() });
    const telling = fakeHost();
    const lock = await lockLayout(telling, directory);
    expect(telling.told).toEqual([`warning: removed the lock of a build that is gone (process ${pid})`]);
    await lock.release();
  });

  it('a lock of another machine is believed', async () => {
    const directory = target();
    leave(directory, { pid: 1, host: 'elsewhere' });
    await expect(lockLayout(host, directory)).rejects.toMatchObject({
      facts: { found: 'process 1 on elsewhere, since then' },
    });
  });

  it('whoever lost the lock notices before writing', async () => {
    const directory = target();
    const lock = await lockLayout(host, directory);
    await host.files.remove(`${directory}.lock`);
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'oci/lock-lost' });
  });
});
