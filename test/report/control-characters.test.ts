import { expect, test } from 'vitest';
import { table } from '../../src/report/index.ts';

test.each([
  ['escape', '\u001b[31m'],
  ['a bell', '\u0007'],
  ['delete', '\u007f'],
  ['the one-byte control sequence introducer', '\u009b31m'],
  ['the first of the second set', '\u0080'],
  ['the last of the second set', '\u009f'],
])('a table shows no %s from outside', (_name, text) => {
  expect(table([[`a${text}b`]])).toBe(`a\uFFFD${text.slice(1)}b`);
});

test('a table keeps a cell on its line', () => {
  expect(table([['a\n\tb', 'c']])).toBe('a b  c');
});

test('a table keeps letters above the control characters', () => {
  expect(table([['\u00a0é']])).toBe('\u00a0é');
});
