import { describe, expect, it } from 'vitest';
import { tar, type TestEntry } from '../support.ts';
import { archive, pax, raw, walkTars } from './support.ts';

const file = (name: string, body = 'x', extra: Partial<TestEntry> = {}): TestEntry => ({ name, body, ...extra });
const directory = (name: string, extra: Partial<TestEntry> = {}): TestEntry => ({ name, type: 'directory', ...extra });
const symlink = (name: string, linkname: string): TestEntry => ({ name, type: 'symlink', linkname });
const hard = (name: string, linkname: string, extra: Partial<TestEntry> = {}): TestEntry => ({
  name,
  type: 'link',
  linkname,
  ...extra,
});

async function walk(...layers: TestEntry[][]) {
  return walkTars(await Promise.all(layers.map((entries) => tar(entries))));
}
const paths = async (...layers: TestEntry[][]) => [...(await walk(...layers)).tree.keys()].sort();
const code = async (...tars: Buffer[]) =>
  walkTars(tars).then(
    () => 'no error',
    (error: unknown) => (error as { code: string }).code,
  );

describe('whiteouts and opaque directories', () => {
  const lower = [directory('a/'), file('a/one'), file('a/two'), directory('a/sub/'), file('a/sub/deep'), file('b')];

  it('a whiteout hides a file, a directory with all below it, and nothing of a like name', async () => {
    expect(await paths([...lower, file('which'), file('.whale')], [file('a/.wh.one'), file('.wh.b')])).toEqual([
      '/', '/.whale', '/a', '/a/sub', '/a/sub/deep', '/a/two', '/which',
    ]); // prettier-ignore
    expect(await paths(lower, [file('.wh.a')])).toEqual(['/', '/b']);
  });

  it('a whiteout standing before a file of its own layer hides the lower one only', async () => {
    const picture = await walk(lower, [file('a/.wh.one'), file('a/one', 'new')]);
    expect(picture.tree.get('/a/one')).toMatchObject({ layer: 1, size: 3 });
    expect(picture.shadowed).toEqual([{ path: '/a/one', layer: 0, by: 1, size: 1 }]);
  });

  it.each([
    ['first', [file('a/.wh..wh..opq'), file('a/new'), directory('a/sub/'), file('a/sub/fresh')]],
    ['last', [file('a/new'), directory('a/sub/'), file('a/sub/fresh'), file('a/.wh..wh..opq')]],
    ['in the middle', [file('a/new'), file('a/.wh..wh..opq'), directory('a/sub/'), file('a/sub/fresh')]],
  ])(
    'an opaque marker standing %s hides all lower content, at any depth, and none of its own',
    async (_where, upper) => {
      expect(await paths(lower, upper)).toEqual(['/', '/a', '/a/new', '/a/sub', '/a/sub/fresh', '/b']);
    },
  );

  it('what an opaque directory hid stays hidden for later layers', async () => {
    expect(await paths(lower, [file('a/.wh..wh..opq')], [file('a/late')])).toEqual(['/', '/a', '/a/late', '/b']);
    await expect(walk(lower, [file('a/.wh..wh..opq')], [hard('link', 'a/one')])).rejects.toMatchObject({
      code: 'oci/tar-link',
    });
  });

  it('an opaque marker and a whiteout of its directory in one layer leave nothing, in either order', async () => {
    expect(await paths(lower, [file('a/.wh..wh..opq'), file('.wh.a')])).toEqual(['/', '/b']);
    expect(await paths(lower, [file('.wh.a'), file('a/.wh..wh..opq')])).toEqual(['/', '/b']);
    expect(await paths(lower, [file('.wh.a'), file('a/sub/.wh..wh..opq')])).toEqual(['/', '/b']);
  });

  it('a whiteout of nothing, of a lower absent directory, or of a driver long gone changes nothing', async () => {
    expect(
      await paths([file('b')], [file('.wh.c'), file('x/y/.wh.z'), directory('.wh..wh.plnk/'), file('.wh..wh.aufs')]),
    ).toEqual(['/', '/b']);
  });

  it.each(['.wh.', 'a/.wh.', '.wh..', '.wh...', 'a/.wh...'])(
    'the whiteout %s, which names no file, is an error',
    async (name) => {
      expect(await code(await tar([file(name)]))).toBe('oci/tar-whiteout');
    },
  );

  it('a path below a whiteout is an error', async () => {
    expect(await code(await tar([file('.wh.a/b')]))).toBe('oci/tar-whiteout');
  });
});

describe('entries that replace others', () => {
  it('a directory over a directory keeps the content and takes the new owner', async () => {
    const { tree } = await walk([directory('a/'), file('a/x')], [directory('a/', { uid: 7, mode: 0o2770 })]);
    expect(tree.get('/a')).toMatchObject({ uid: 7, mode: 0o2770, layer: 1 });
    expect(tree.has('/a/x')).toBe(true);
  });

  it('a file over a directory removes what was below, and a directory over a file replaces it', async () => {
    expect(await paths([directory('a/'), file('a/x')], [file('a')], [directory('a/'), file('a/y')])).toEqual([
      '/',
      '/a',
      '/a/y',
    ]);
  });

  it('of duplicate entries the last one counts', async () => {
    const picture = await walk([file('a', 'first'), file('./a', 'no'), file('/a', 'third!', { mode: 0o4755 })]);
    expect(picture.tree.get('/a')).toMatchObject({ size: 6, mode: 0o4755 });
    expect(picture.tree.size).toBe(2);
    expect(picture.shadowedTotal).toEqual({ count: 2, bytes: 7 });
  });

  it('directories that no entry made are there, as engines make them', async () => {
    const { tree } = await walk([file('x/y/z')]);
    expect(tree.get('/x/y')).toMatchObject({ type: 'directory', mode: 0o755, uid: 0 });
  });
});

describe('symlinks on the way', () => {
  it('an entry is written through a link, inside the root, and that is reported', async () => {
    const picture = await walk(
      [directory('usr/'), directory('usr/bin/'), symlink('bin', 'usr/bin')],
      [file('bin/tool')],
    );
    expect(picture.tree.has('/usr/bin/tool')).toBe(true);
    expect(picture.overLinks).toEqual([{ path: '/bin/tool', link: 'usr/bin', layer: 1 }]);
  });

  it('a file over a link replaces the link, and that is reported', async () => {
    const picture = await walk([symlink('claude', '/opt/claude')], [file('claude')]);
    expect(picture.tree.get('/claude')?.type).toBe('file');
    expect(picture.overLinks).toEqual([{ path: '/claude', link: '/opt/claude', layer: 1 }]);
  });

  it.each(['/etc', '/../../etc', '../../../../etc'])('a link to %s leads no further than the root', async (target) => {
    const { tree } = await walk([directory('etc/'), symlink('out', target), file('out/passwd')]);
    expect([...tree.keys()].sort()).toEqual(['/', '/etc', '/etc/passwd', '/out']);
  });

  it.each([
    ['to itself', [symlink('a', 'a'), file('a/x')]],
    ['to each other', [symlink('a', 'b'), symlink('b', 'a'), file('a/x')]],
    ['growing', [symlink('a', 'a/a'), file('a/x')]],
  ])('links %s are an error when a path leads through them', async (_what, entries) => {
    expect(await code(await tar(entries))).toBe('oci/tar-link-loop');
  });

  it('a loop of links that nothing passes is kept as it is', async () => {
    const { tree } = await walk([symlink('a', 'b'), symlink('b', 'a')]);
    expect(tree.get('/a')).toMatchObject({ type: 'symlink', link: 'b' });
  });

  it('a path below a file is an error', async () => {
    expect(await code(await tar([file('a'), file('a/b')]))).toBe('oci/tar-path');
  });
});

describe('hard links', () => {
  it('appear as files of the same inode, and the mode of the last one written holds for all', async () => {
    const { tree } = await walk([
      file('a', 'four', { mode: 0o4711 }),
      hard('b', 'a', { mode: 0o4750, uid: 0 }),
      hard('c', './b', { mode: 0o4755 }),
    ]);
    for (const path of ['/a', '/b', '/c'])
      expect(tree.get(path)).toMatchObject({ type: 'file', size: 4, mode: 0o4755 });
  });

  it('keep the content when the first name is overwritten or deleted', async () => {
    const picture = await walkTars([await tar([file('a', 'four'), hard('b', '/a')]), await tar([file('.wh.a')])], {
      collectors: { wantContent: () => true },
    });
    expect(picture.tree.get('/b')?.size).toBe(4);
    expect(Buffer.from(picture.contents.get('/b') ?? []).toString()).toBe('four');
    expect(picture.tree.has('/a')).toBe(false);
  });

  it('may link a symlink itself', async () => {
    const { tree } = await walk([symlink('a', 'nowhere'), hard('b', 'a')]);
    expect(tree.get('/b')).toMatchObject({ type: 'symlink', link: 'nowhere' });
  });

  it.each([
    ['nowhere', [hard('a', 'absent')]],
    ['to itself', [file('a'), hard('a', 'a')]],
    ['to what comes later', [hard('a', 'b'), file('b')]],
    ['to a directory', [directory('d/'), hard('a', 'd')]],
    ['to the root', [hard('a', '/')]],
  ])('%s are an error', async (_what, entries) => {
    expect(await code(await tar(entries))).toMatch(/^oci\/tar-link$/);
  });

  it('that climb out lead to the root’s own, as for every engine', async () => {
    const { tree } = await walk([file('etc/shadow', 'four'), hard('a', '../../etc/shadow')]);
    expect(tree.get('/a')).toMatchObject({ type: 'file', size: 4 });
  });

  it('with a size have no content all the same, as for whoever unpacks them', async () => {
    const layer = archive(
      raw({ name: 'a', body: 'x' }),
      raw({ name: 'b', flag: '1', link: 'a', size: 512 }),
      raw({ name: 'c' }),
    );
    expect([...(await walkTars([layer])).tree.keys()]).toEqual(['/', '/a', '/b', '/c']);
  });
});

describe('paths', () => {
  it.each(['../x', 'a/../../x', 'a/..', '..'])('%s climbs out and is an error', async (name) => {
    expect(await code(archive(raw({ name, body: 'x' })))).toBe('oci/tar-path');
  });

  it.each(['/etc/passwd', './etc/passwd', '//etc//passwd', 'etc/./passwd', 'a/../etc/passwd', '/../etc/passwd'])(
    '%s is /etc/passwd',
    async (name) => {
      expect((await walkTars([archive(raw({ name, body: 'x' }))])).tree.has('/etc/passwd')).toBe(true);
    },
  );

  it('a name that no file system holds is an error', async () => {
    expect(await code(archive(pax({ path: 'n'.repeat(256) }), raw({ name: 'x' })))).toBe('oci/tar-path');
    expect(await code(archive(pax({ path: 'd/'.repeat(2049) }), raw({ name: 'x' })))).toBe('oci/tar-path');
    expect(await code(archive(pax({ path: `${'d/'.repeat(2040)}n` }), raw({ name: 'x' })))).toBe('no error');
  });

  it('names that are no UTF-8 stay apart', async () => {
    expect((await walkTars([archive(raw({ name: 'a\xff' }), raw({ name: 'a\xfe' }))])).tree.size).toBe(3);
  });

  it('a root entry that is no directory is an error, and one that is sets the root', async () => {
    expect(await code(archive(raw({ name: './', flag: '2', link: '/etc' })))).toBe('oci/tar-path');
    expect((await walkTars([archive(raw({ name: './', flag: '5', mode: 0o700 }))])).tree.get('/')?.mode).toBe(0o700);
  });
});
