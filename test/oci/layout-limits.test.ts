import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { collectGarbage, createLayout, openLayout, type Layout } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { sha256, temporaryDirectory } from './support.ts';

const host = fakeHost();
const abcd = { digest: sha256('abcd'), size: 4 };

async function layoutWith(content: string): Promise<Layout> {
  const directory = join(temporaryDirectory(), 'layout');
  const layout = await createLayout(host, directory);
  await layout.put(Readable.from([Buffer.from(content)]));
  return layout;
}

describe('the mark of a layout', () => {
  const marked = (text: string): Promise<Layout> => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'oci-layout'), text);
    return openLayout(host, directory);
  };
  const mark = '{"imageLayoutVersion":"1.0.0"}';

  test('of 4 KiB is read', async () => {
    expect((await marked(mark.padEnd(4096))).directory).not.toBe('');
  });

  test.each([
    ['of a byte more', mark.padEnd(4097)],
    ['of another version', '{"imageLayoutVersion":"1.0.1"}'],
    ['of no version', '{}'],
    ['that is a list', '["1.0.0"]'],
  ])('%s is refused', async (_name, text) => {
    await expect(marked(text)).rejects.toMatchObject({ exit: 2 });
  });
});

test('a layout is not made where a file lies', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  await expect(createLayout(host, file)).rejects.toMatchObject({ code: 'oci/not-a-layout' });
});

describe('a blob of a layout', () => {
  test('is there with its size', async () => {
    expect(await (await layoutWith('abcd')).has(abcd)).toBe(true);
  });

  test.each([3, 5])('is not there with the size %s', async (size) => {
    expect(await (await layoutWith('abcd')).has({ ...abcd, size })).toBe(false);
  });

  test('is not there where a directory lies', async () => {
    const layout = await layoutWith('x');
    mkdirSync(layout.path(abcd));
    expect(await layout.has(abcd)).toBe(false);
  });

  test.each([3, 5])('is not handed out with the size %s', async (size) => {
    const layout = await layoutWith('abcd');
    await expect(layout.file({ ...abcd, size })).rejects.toMatchObject({ code: 'oci/size-mismatch' });
  });

  test('that cannot be written leaves nothing, and a full disk is the machine’s', async () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    let discarded = 0;
    const stream = new Writable({
      write: (_chunk, _encoding, done) => {
        done(full);
      },
    });
    const files = {
      ...host.files,
      openTemporary: async () => ({
        path: '',
        stream,
        commit: async () => undefined,
        discard: async () => void (discarded += 1),
      }),
    };
    const layout = await createLayout({ ...host, files }, join(temporaryDirectory(), 'layout'));
    await expect(layout.put(Readable.from([Buffer.from('abcd')]))).rejects.toMatchObject({
      code: 'oci/disk-full',
      exit: 4,
    });
    expect(discarded).toBe(1);
  });

  test('whose source breaks is the source’s own error', async () => {
    const broken = new TypeError('the line broke');
    const layout = await layoutWith('x');
    const source = async function* () {
      yield Buffer.from('a');
      throw broken;
    };
    await expect(layout.put(source())).rejects.toBe(broken);
  });
});

describe('garbage', () => {
  test('is not what an index in an index, eight deep, leads to', async () => {
    const layout = await layoutWith('garbage');
    let inner: Descriptor = { mediaType: mediaTypes.config, ...(await layout.put(Readable.from([Buffer.from('{}')]))) };
    inner = await layout.putJson(mediaTypes.manifest, { schemaVersion: 2, config: inner, layers: [] });
    for (let deep = 0; deep < 8; deep += 1)
      inner = await layout.putJson(mediaTypes.index, {
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [inner],
      });
    await layout.writeIndex({ schemaVersion: 2, manifests: [inner] });
    expect(await collectGarbage(host, layout)).toEqual({ removed: 1, bytes: 7 });
    expect(readdirSync(join(layout.directory, 'blobs/sha256'))).toHaveLength(10);
  });
});
