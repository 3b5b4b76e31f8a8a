import { expect, test } from 'vitest';
import { makeConsole } from '../../src/host/output.ts';
import { table } from '../../src/report/index.ts';

test.each([
  ['escape', '\u001b[31m'],
  ['bell', '\u0007'],
  ['delete', '\u007f'],
  ['first of the second set', '\u0080'],
  ['one-byte control sequence introducer', '\u009b31m'],
  ['last of the second set', '\u009f'],
])('a printed table shows the %s of a cell as its code', (_name, text) => {
  let written = '';
  makeConsole({ write: (more) => (written += more) }).document(table([[`a${text}b`]]));
  const code = text.charCodeAt(0).toString(16).padStart(4, '0');
  expect(written).toBe(`a\\u${code}${text.slice(1)}b\n`);
});
