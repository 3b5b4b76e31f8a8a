import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import type { TemporaryFile } from '../../src/host/index.ts';
import { spoolLayer } from '../../src/oci/import/spool.ts';
import { verified } from '../../src/oci/verify.ts';
import { ZstdReader } from '../../src/oci/zstd.ts';
import { fakeHost } from '../support/fake-host.ts';
import { sha256 } from './support.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a blob is never waited for in vain', () => {
  const bytes = Buffer.alloc(3000, 'x');
  const expected = { digest: sha256(bytes), size: bytes.length };

  test('when its source was closed before anyone read it', async () => {
    const source = new PassThrough();
    source.destroy();
    await turn();
    await expect(verified(source, expected).toArray()).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('when its source failed before anyone read it', async () => {
    const source = new PassThrough();
    source.on('error', () => undefined).destroy(new Error('the connection broke'));
    await turn();
    await expect(verified(source, expected).toArray()).rejects.toThrow('the connection broke');
  });

  test('when its source is closed in the middle', async () => {
    const source = new PassThrough();
    source.write(bytes.subarray(0, 10));
    const reading = verified(source, expected).toArray();
    await turn();
    source.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('and a reader that goes away closes the source', async () => {
    const source = Readable.from([bytes, bytes], { objectMode: false });
    verified(source, expected).destroy();
    await turn();
    await turn();
    expect(source.destroyed).toBe(true);
  });
});

test('a spool whose file failed is an error, not a layer', async () => {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      setImmediate(done, new Error('no space left'));
    },
  });
  stream.on('error', () => undefined);
  const file: TemporaryFile = {
    path: '/nowhere',
    stream,
    commit: async () => undefined,
    discard: async () => undefined,
  };
  const host = fakeHost();
  const files = { ...host.files, openTemporary: async () => file };
  const bytes = Buffer.alloc(1024);
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(bytes), size: bytes.length };
  const spooled = spoolLayer({ ...host, files }, '/nowhere', Readable.from([bytes]), layer, layer.digest);
  await expect(spooled).rejects.toThrow('no space left');
});

describe('a refused bomb', () => {
  /** A frame of 30,000 runs of 128 KiB each: 3.9 GB in 120 kB (RFC 8878, 3.1.1.2). */
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3]);
  const run = Buffer.alloc(4);
  run.writeUIntLE((131_072 << 3) | 2, 0, 3);
  const bomb = Buffer.concat([magic, ...Array.from({ length: 30_000 }, () => run)]);

  test('is decoded no further than a chunk', async () => {
    const reader = new ZstdReader(1024 * 1024);
    let pushed = 0;
    const push = vi.spyOn(reader, 'push').mockImplementation((chunk: Buffer | null) => {
      pushed += chunk?.length ?? 0;
      return ZstdReader.prototype.push.call(reader, chunk);
    });
    reader.write(bomb);
    await new Promise((resolve) => reader.once('readable', resolve));
    reader.destroy();
    const before = pushed;
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(push).toHaveBeenCalled();
    expect(before).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(pushed).toBe(before);
  });
});
