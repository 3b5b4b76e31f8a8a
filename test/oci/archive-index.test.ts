import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { indexArchive, type ArchiveIndex } from '../../src/oci/sources/archive-index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { archive, raw } from './hostile/raw.ts';

/** As a disk gives them: content that is long enough is sought over. */
function* pieces(bytes: Buffer, start: number): Generator<Buffer> {
  for (let at = start; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
}

/** Reads the headers of a file of these bytes. */
async function indexed(bytes: Buffer): Promise<ArchiveIndex> {
  const host = fakeHost();
  const files = {
    ...host.files,
    stat: async () => ({ type: 'file', size: bytes.length }) as never,
    openRead: (_path: string, { start }: { readonly start: number } = { start: 0 }) =>
      Readable.from(pieces(bytes, start)),
  };
  return await indexArchive({ ...host, files }, 'a.tar');
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: unknown) => (error as { readonly code: string }).code,
  );

const members = (count: number): Buffer =>
  archive(...Array.from({ length: count }, (_none, at) => raw({ name: `m${at}` })));
test.each([
  [100_000, 'fine'],
  [100_001, 'oci/too-many-entries'],
])('an archive of %s members: %s', async (count, outcome) => {
  expect(await codeOf(indexed(members(count)))).toBe(outcome);
});

test('a member that comes again is one member, and the last of them', async () => {
  const index = await indexed(archive(raw({ name: 'a', body: '1' }), raw({ name: './a', body: '22' })));
  expect([index.names(), index.span('a').size]).toEqual([['a'], 2]);
});

const large = raw({ name: 'a', body: Buffer.alloc(3 * 1024 * 1024) });
test.each([
  ['whole', large.length, 'fine'],
  ['in the middle of what is sought over', large.length - 512, 'oci/tar-truncated'],
  ['in the middle of a header', 100, 'oci/tar-truncated'],
])('an archive that ends %s: %s', async (_name, size, outcome) => {
  expect(await codeOf(indexed(large.subarray(0, size)))).toBe(outcome);
});

/** So many links, each to the next, and a file. */
const chain = (links: number): Buffer =>
  archive(
    raw({ name: `m${links}`, body: 'x' }),
    ...Array.from({ length: links }, (_none, at) => raw({ name: `m${at}`, flag: '2', link: `m${at + 1}` })),
  );
test('links are followed, fifteen of them', async () => {
  expect((await indexed(chain(15))).span('m0').size).toBe(1);
});

test('links are followed no further', async () => {
  const index = await indexed(chain(16));
  expect(() => index.span('m0')).toThrow(expect.objectContaining({ code: 'oci/archive' }) as Error);
});
