import { describe, expect, it } from 'vitest';
import type { AppError } from '../../../src/errors/index.ts';
import { extension, longName, member, octal } from '../differential/header.ts';
import { archive, pax, raw, walkTars } from './support.ts';

const refusal = (...layers: readonly Buffer[]) =>
  walkTars(layers).then(
    ({ tree }) => `no error: ${[...tree.keys()].join(' ')}`,
    ({ code, facts }: AppError) => `${code} ${facts.found ?? ''}`,
  );
const file = (name: string) => raw({ name, body: 'x' });
const directory = (name: string) => raw({ name, flag: '5', mode: 0o755 });
const lower = archive(directory('d/'), file('d/lower'), file('f'), raw({ name: 'to', flag: '2', link: 'd' }));
const backdoor = raw({ name: 'usr/bin/backdoor', mode: 0o4755, body: 'x'.repeat(600) });

describe('headers that a global header drops', () => {
  const comment = extension([['comment', 'c']], 'g', 'pax_global_header');
  it.each([
    ['x with another path', pax({ path: 'usr/share/readme' })],
    ['x with a size that swallows what follows', pax({ size: '4096' })],
    ['L with another name', longName('usr/share/readme')],
  ])('%s hides nothing', async (_what, pending) => {
    const { tree } = await walkTars([archive(pending, comment, backdoor, file('etc/sudoers'))]);
    expect(tree.get('/usr/bin/backdoor')).toMatchObject({ mode: 0o4755, size: 600 });
    expect([...tree.keys()].sort()).toEqual(['/', '/etc', '/etc/sudoers', '/usr', '/usr/bin', '/usr/bin/backdoor']);
  });

  it('K with another target is dropped, and empty L and K leave the header’s own', async () => {
    const link = raw({ name: 'link', flag: '2', link: 'own' });
    const dropped = await walkTars([archive(longName('evil', 'K'), comment, link)]);
    expect(dropped.tree.get('/link')?.link).toBe('own');
    const empty = await walkTars([archive(longName('', 'K'), longName(''), link)]);
    expect(empty.tree.get('/link')?.link).toBe('own');
  });
});

describe('sparse files in PAX', () => {
  const head = Buffer.alloc(512);
  head.write('2\n0\n2\n4\n2\n');
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 'real',
    'GNU.sparse.realsize': '8',
  };
  const sparse = (size: string) =>
    archive(
      pax({ ...records, 'GNU.sparse.realsize': size }),
      raw({ name: 'x', body: Buffer.concat([head, Buffer.from('abcd')]) }),
    );

  it('are expanded, so that their content is looked at as engines unpack it', async () => {
    const { tree, contents } = await walkTars([sparse('8')], { collectors: { wantContent: () => true } });
    expect(tree.get('/real')).toMatchObject({ type: 'file', size: 8 });
    expect(Buffer.from(contents.get('/real') ?? []).toString('latin1')).toBe('ab\0\0cd\0\0');
  });

  it('of more holes than a layer may have bytes are an error, before they are read', async () => {
    await expect(walkTars([sparse('4503599627370496')])).rejects.toMatchObject({ code: 'oci/limit' });
  });
});

describe('what engines unpack differently is refused with the entry and the engines', () => {
  it.each([
    ['a whiteout after its file', [lower, archive(file('f'), file('.wh.f'))], 'oci/tar-whiteout', '".wh.f": umoci'],
    ['a whiteout after its directory', [lower, archive(directory('d/'), file('.wh.d'))], 'oci/tar-whiteout', '".wh.d"'],
    ['a whiteout after what lies below', [lower, archive(file('d/new'), file('.wh.d'))], 'oci/tar-whiteout', '".wh.d"'],
    [
      'a directory after its whiteout',
      [lower, archive(file('.wh.d'), directory('d/'))],
      'oci/tar-whiteout',
      '"d/": overlay',
    ],
    [
      'a whiteout through a link',
      [lower, archive(file('to/.wh.lower'))],
      'oci/tar-whiteout',
      '"to/.wh.lower": overlay',
    ],
    [
      'an opaque marker through a link',
      [lower, archive(file('to/.wh..wh..opq'))],
      'oci/tar-whiteout',
      '"to/.wh..wh..opq"',
    ],
    ['a file of .wh..wh.plnk', [archive(file('.wh..wh.plnk/1.2'))], 'oci/tar-whiteout', '".wh..wh.plnk/1.2": umoci'],
    ['a path that climbs out', [archive(file('../x'))], 'oci/tar-path', '"../x": Docker'],
    ['a global header with a path', [lower, archive(pax({ path: 'f' }, 'g'))], 'oci/tar-global', '"f": podman'],
    [
      'a global header in a folder',
      [archive(raw({ name: 'tmp/GlobalHead.1.1', flag: 'g' }))],
      'oci/tar-global',
      'podman',
    ],
    ['a device 0:0', [lower, archive(member({ name: 'f', flag: '3' }))], 'oci/tar-device', '"f": in an overlay'],
    [
      'an attribute of an overlay',
      [archive(pax({ 'SCHILY.xattr.trusted.overlay.redirect': '/etc' }), directory('d/'))],
      'oci/tar-xattr',
      '"d/": in an overlay',
    ],
    [
      'a hard link that takes a setuid bit away',
      [archive(raw({ name: 'su', mode: 0o4755 }), raw({ name: 'b', flag: '1', link: 'su', mode: 0o755 }))],
      'oci/tar-link',
      '"b": umoci keeps',
    ],
  ])('%s', async (_what, layers, code, engines) => {
    const found = await refusal(...layers);
    expect(found.startsWith(`${code} `), found).toBe(true);
    expect(found).toContain(engines);
  });

  it('what they agree on is not', async () => {
    expect(await refusal(lower, archive(file('.wh.d'), file('d')))).toBe('no error: / /f /to /d');
    expect(await refusal(lower, archive(pax({ path: 'GlobalHead.0.1' }, 'g'), file('g')))).toBe(
      'no error: / /d /d/lower /f /to /g',
    );
    const null7 = member({ name: 'null', flag: '3', devMajor: octal(1, 8), devMinor: octal(3, 8) });
    expect(await refusal(archive(null7))).toBe('no error: / /null');
  });
});
