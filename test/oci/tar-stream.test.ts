import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import type { TarEntry } from '../../src/oci/tar/entry.ts';
import { TarReader } from '../../src/oci/tar/reader.ts';
import { archive, pax, raw } from './hostile/raw.ts';

/**
 * Why layers are read by src/oci/tar and not by tar-stream (docs/decisions/0005-layers-read-and-written.md).
 * When one of these fails because tar-stream reads the member right, the decision can be looked at again.
 */
async function byTarStream(bytes: Buffer): Promise<Header[]> {
  const headers: Header[] = [];
  const stream = extract();
  stream.on('entry', (header, body, next) => {
    headers.push(header);
    body.on('end', next);
    body.resume();
  });
  await pipeline(Readable.from([bytes]), stream);
  return headers;
}

function byOurs(bytes: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader({ entry: (entry) => void entries.push(entry) });
  reader.write(bytes);
  reader.finish();
  return entries;
}

describe('what tar-stream reads otherwise than the engines', () => {
  it('binary extended attributes, such as file capabilities, do not survive it', async () => {
    // VFS_CAP_REVISION_2 with cap_net_raw; 0xff and 0x80 are no UTF-8.
    const capability = Buffer.from([1, 0, 0, 2, 0, 0x20, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const key = 'SCHILY.xattr.security.capability';
    const rest = Buffer.concat([Buffer.from(` ${key}=`), capability, Buffer.from('\n')]);
    const record = Buffer.concat([Buffer.from(String(rest.length + 2)), rest]);
    const bytes = archive(raw({ name: 'x', flag: 'x', body: record }), raw({ name: 'bin/ping', body: 'elf' }));
    const [ours] = byOurs(bytes);
    expect(Buffer.from(ours?.xattrs?.get('security.capability') ?? '', 'latin1')).toEqual(capability);
    const [theirs] = await byTarStream(bytes);
    const text = (theirs?.pax as Record<string, string> | undefined)?.[key];
    expect(text).toBeDefined();
    expect([Buffer.from(text ?? '', 'utf8'), Buffer.from(text ?? '', 'latin1')]).not.toContainEqual(capability);
    expect(text).toContain('\ufffd');
  });

  it('a global PAX header renames what has a header of its own, which Go’s archive/tar does not do', async () => {
    const global = pax({ path: 'usr/bin/evil' }, 'g');
    const bytes = archive(global, pax({ mtime: '1' }), raw({ name: 'usr/bin/good', body: 'x' }));
    expect(byOurs(bytes).map(({ name }) => name)).toEqual(['usr/bin/good']);
    expect((await byTarStream(bytes)).map(({ name }) => name)).toEqual(['usr/bin/evil']);
  });

  it('the size of a hard link is taken for content, and the next member for a part of it', async () => {
    const bytes = archive(
      raw({ name: 'a', body: 'x' }),
      raw({ name: 'b', flag: '1', link: 'a', size: 512 }),
      raw({ name: 'hidden' }),
      raw({ name: 'c' }),
    );
    expect(byOurs(bytes).map(({ name }) => name)).toEqual(['a', 'b', 'hidden', 'c']);
    expect((await byTarStream(bytes)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});
