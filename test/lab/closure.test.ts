import { expect, test } from 'vitest';
import type { Deb } from '../../src/lab/apt.ts';
import { closure } from '../../src/lab/closure.ts';

const deb = (name: string, depends: string[][] = [], provides: string[] = []): [string, Deb] => [
  name,
  { name, version: '1', architecture: 'all', file: '', sha256: '', control: '', depends, provides },
];
const names = (set: [string, Deb][], wish: string[]): string[] => closure(new Map(set), wish).map(({ name }) => name);

test('takes what a package depends on, and no more', () => {
  expect(names([deb('a', [['b']]), deb('b', [['c']]), deb('c'), deb('d')], ['a'])).toEqual(['a', 'b', 'c']);
});

test('of several alternatives it takes the one that apt put into the set', () => {
  expect(names([deb('a', [['gawk', 'mawk']]), deb('mawk')], ['a'])).toEqual(['a', 'mawk']);
});

test('a virtual package is its provider', () => {
  expect(names([deb('a', [['awk']]), deb('mawk', [], ['awk'])], ['a'])).toEqual(['a', 'mawk']);
});

test('ends when packages depend on each other', () => {
  expect(names([deb('a', [['b']]), deb('b', [['a']])], ['b'])).toEqual(['a', 'b']);
});

test('names a package that is not in the set', () => {
  expect(() => names([deb('a')], ['z'])).toThrow('no package z');
});
