import { expect, test } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { resolve } from '../../src/contract/tree.ts';

const directory: Entry = { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, layer: 0 };
const link = (target: string): Entry => ({ ...directory, type: 'symlink', link: target });

/** `/l0` to `/l39`, each to the next by a way of `length` characters through `/d`; the last one is a directory. */
function chained(length: number): ReadonlyMap<string, Entry> {
  const detour = 'd/../'.repeat(Math.floor(length / 5));
  const links = Array.from({ length: 39 }, (_none, at) => [`/l${at}`, link(`${detour}l${at + 1}`)] as const);
  return new Map([['/', directory], ['/d', directory], ['/l39', directory], ...links]);
}

test('a chain of links resolves as long as all of them are no longer than one path', () => {
  expect(resolve(chained(100), '/l0')).toMatchObject({ $case: 'found', path: '/l39' });
});

test('a longer one counts as a loop, however often it is asked for', () => {
  expect(resolve(chained(2000), '/l0').$case).toBe('loop');
});

test('links in the middle of a way, absolute and relative, leave the rest of it in order', () => {
  const tree = new Map<string, Entry>([
    ['/', directory],
    ['/a', directory],
    ['/a/b', link('../c/./d')],
    ['/c', directory],
    ['/c/d', directory],
    ['/c/d/e', link('/a')],
    ['/a/f', directory],
  ]);
  expect(resolve(tree, '/a/b/e/f')).toMatchObject({ $case: 'found', path: '/a/f' });
  expect(resolve(tree, '/a/b/../d')).toMatchObject({ $case: 'found', path: '/c/d' });
});
