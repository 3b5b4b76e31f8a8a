import { describe, expect, it } from 'vitest';
import { obstacleTo } from '../../src/contract/access.ts';
import { resolveUser, parseAccounts } from '../../src/contract/accounts.ts';
import { resolve } from '../../src/contract/tree.ts';
import { pictureOf, type PathOf } from '../support/picture.ts';

const tree = (paths: Record<string, PathOf>) => pictureOf({ paths }).tree;
const random = { name: 'random UID', uid: 1000680000, gids: [0] };
const sandbox = { name: 'sandbox', uid: 1000, gids: [1000] };

describe('effective access', () => {
  it.each([
    ['by group 0', { mode: 0o770, gid: 0 }, undefined],
    ['by other', { mode: 0o707, gid: 5 }, undefined],
    ['refused, since the group class comes before other', { mode: 0o707, gid: 0 }, /as group, random UID has no rwx/],
    ['refused write alone', { mode: 0o750, gid: 0 }, /as group, random UID has no w/],
    ['refused to a stranger', { mode: 0o770, gid: 5 }, /as other, random UID has no rwx/],
  ] as const)('is given or refused: %s', (_, of, refused) => {
    const obstacle = obstacleTo(tree({ '/app': { type: 'directory', uid: 1001, ...of } }), random, '/app', 'rwx');
    if (refused === undefined) expect(obstacle).toBeUndefined();
    else expect(obstacle?.because).toMatch(refused);
  });

  it('of an owner is the owner bits alone, though others may more', () => {
    const obstacle = obstacleTo(tree({ '/f': { uid: 1000, mode: 0o077 } }), sandbox, '/f', 'r');
    expect(obstacle?.because).toBe('/f is ----rwxrwx 1000:0: as owner, sandbox has no r');
  });

  it('needs search on every parent, those of a link target too', () => {
    const image = tree({
      '/opt/tool': { link: '../hidden/tool' },
      '/hidden': { type: 'directory', mode: 0o700 },
      '/hidden/tool': { mode: 0o755 },
    });
    expect(obstacleTo(image, random, '/opt/tool', 'x')).toEqual({
      path: '/hidden',
      because: '/hidden is drwx------ 0:0: as group, random UID has no x (search) on the way to /opt/tool',
    });
  });

  it('is never refused to root', () => {
    expect(obstacleTo(tree({ '/f': { mode: 0 } }), { name: 'root', uid: 0, gids: [0] }, '/f', 'rwx')).toBeUndefined();
  });
});

describe('paths are resolved inside the image', () => {
  const image = tree({
    '/bin': { link: 'usr/bin' },
    '/usr/bin/sh': { mode: 0o755 },
    '/up': { link: '../../../usr' },
    '/a': { link: '/b' },
    '/b': { link: '/a' },
    '/file': {},
    '/gone': { link: '/nowhere/deep' },
  });
  it('through links, relative and absolute, and .. stays at the root', () => {
    expect(resolve(image, '/up/bin/../../bin/sh')).toMatchObject({ $case: 'found', path: '/usr/bin/sh' });
  });
  it.each([
    ['/a', 'loop'],
    ['/file/x', 'not-directory'],
    ['/gone', 'missing'],
  ])('%s ends as %s', (path, end) => {
    expect(resolve(image, path).$case).toBe(end);
  });
  it('keeps a last link when asked', () => {
    expect(resolve(image, '/bin', true)).toMatchObject({ $case: 'found', path: '/bin' });
  });
});

describe('the user of the config', () => {
  const accounts = parseAccounts(
    Buffer.from('root:x:0:0::/root:/bin/sh\nrunner:x:1001:0::/app:/bin/sh\nbroken:x:y:0\n# no\ntoor:x:0:0::/:\n'),
    Buffer.from('root:x:0:\nextra:x:77:runner,other\n'),
  );
  it.each([
    ['', 0, [0]],
    ['0:0', 0, [0]],
    ['00', 0, [0]],
    ['root:root', 0, [0]],
    ['toor', 0, [0]],
    ['runner', 1001, [0, 77]],
    ['1001', 1001, [0, 77]],
    ['1001:77', 1001, [77]],
    ['5000', 5000, [0]],
    ['5000:extra', 5000, [77]],
  ])('%j is UID %d', (text, uid, gids) => {
    expect(resolveUser(text, accounts)).toMatchObject({ $case: 'ok', uid, gids });
  });
  it.each([
    'ghost',
    'broken',
    ':0',
    'runner:',
    'a:b:c',
    '-1',
    '4294967295',
    '99999999999',
    'runner:ghosts',
    '1:4294967295',
  ])('%j is refused', (text) => {
    expect(resolveUser(text, accounts).$case).toBe('bad');
  });
});
