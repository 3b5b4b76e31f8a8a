import { expect, test } from 'vitest';
import { matchesGlob } from '../../src/contract/glob.ts';

test.each([
  ['/usr/bin/*', '/usr/bin/git', true],
  ['/usr/bin/*', '/usr/bin/git/x', false],
  ['/usr/bin/?it', '/usr/bin/git', true],
  ['/**/test/**', '/a/.hidden/test/b/c', true],
  ['/**/test/**', '/test/c', true],
  ['/**/test/**', '/a/tests/c', false],
  ['com.redhat.*', 'com.redhat.component', true],
  ['com.redhat.*', 'comXredhat.component', false],
  ['/app/[id].js', '/app/[id].js', true],
  ['/app/[id].js', '/app/i.js', false],
  ['/app/\\*', '/app/\\x', true],
  ['{a,b}', 'a', false],
  ['!a', 'b', false],
  ['#a', '#a', true],
  ['+(a)', 'aa', false],
])('%s against %s: %s', (glob, text, expected) => {
  expect(matchesGlob(glob, text)).toBe(expected);
});
