import { expect, test } from 'vitest';
import { tar, type TestEntry } from '../support.ts';
import { walkTars } from './support.ts';

/** Links `l0` to `l39`, each to the next one by a way of `length` characters that leads nowhere else; then files through them. */
function chained(length: number, files: number): TestEntry[] {
  const detour = 'd/../'.repeat(Math.floor(length / 5));
  const links = Array.from({ length: 39 }, (_none, at): TestEntry => {
    return { name: `l${at}`, type: 'symlink', linkname: `${detour}l${at + 1}` };
  });
  const through = Array.from({ length: files }, (_none, at): TestEntry => ({ name: `l0/f${at}`, body: '' }));
  return [{ name: 'd/', type: 'directory' }, { name: 'l39/', type: 'directory' }, ...links, ...through];
}

test('a chain of links is followed as long as all of them are no longer than one path', async () => {
  const { tree } = await walkTars([await tar(chained(100, 500))]);
  expect([...tree.keys()].filter((path) => path.startsWith('/l39/'))).toHaveLength(500);
});

test('a longer one is refused: each entry through it would cost milliseconds', async () => {
  await expect(walkTars([await tar(chained(2000, 1))])).rejects.toMatchObject({
    code: 'oci/tar-path',
    message: expect.stringContaining('too long through symlinks') as string,
  });
});
