import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collectGarbage, createLayout, openLayout, validateLayout } from '../../src/oci/index.ts';
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
