import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { collectBytes } from '../../src/core/bytes.ts';

const stream = () => Readable.from([Buffer.from('abc'), Buffer.from('de')], { objectMode: false });

test('a stream of the limit is collected whole', async () => {
  expect((await collectBytes(stream(), 5))?.toString()).toBe('abcde');
});

test('one byte more gives nothing, and cuts the stream', async () => {
  const source = stream();
  expect(await collectBytes(source, 4)).toBeUndefined();
  expect(source.destroyed).toBe(true);
});

test('a stream that breaks throws its own error', async () => {
  const broken = new Readable({ read() {} });
  broken.destroy(new Error('other side closed'));
  await expect(collectBytes(broken, 4)).rejects.toThrow('other side closed');
});
