import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import * as text from '../../src/config/text.ts';

const hex = (length: number): string => 'a'.repeat(length);

/** What each kind of text accepts, and what it refuses. */
const kinds: readonly (readonly [string, z.ZodType, readonly string[], readonly string[]])[] = [
  ['name', text.name, ['a', `a${'b'.repeat(62)}`], ['', `a${'b'.repeat(63)}`, 'A', '1a', 'a_b', 'a\n']],
  ['version', text.version, ['1', `1${'0'.repeat(127)}`], ['', `1${'0'.repeat(128)}`, '-1', '1 2', '1"', '1$x', '1\n']],
  ['commit', text.commit, [hex(40)], [hex(39), hex(41), 'A'.repeat(40), `${hex(40)}\n`]],
  ['digest', text.digest, [`sha256:${hex(64)}`], [hex(64), `sha256:${hex(63)}`, `sha256:${'A'.repeat(64)}`]],
  [
    'relativePath',
    text.relativePath,
    ['a', 'a/b.c', '..a/b..', 'a'.repeat(400)],
    ['', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', 'a/..', '.', './a', 'a/./b', 'a b', 'a\\b', 'a'.repeat(401)],
  ],
  ['absolutePath', text.absolutePath, ['/a', '/a/b.c'], ['a', '/', '//a', '/a/', '/a b', '/a$b', '/a\n']],
  [
    'httpsUrl',
    text.httpsUrl,
    ['https://a.b', 'https://a.b:8443/c/{version}/%20'],
    ['http://a.b', 'https://a.b/?q', 'https://a.b/#f', 'https://u@a.b/', 'https://a.b:123456/', 'https://a.b/"'],
  ],
  [
    'repository',
    text.repository,
    ['quay.io/a/b', 'localhost:5000/a'],
    ['quay.io/a/b:1', `quay.io/a/b@sha256:${hex(64)}`, `quay.io/a/b:1@sha256:${hex(64)}`, 'quay.io/A', ''],
  ],
  [
    'labelText',
    text.labelText,
    ['', 'Ä b (c)', 'x'.repeat(500)],
    ['x'.repeat(501), 'a"b', 'a\\b', 'a$b', 'a`b', 'a\nb', 'a\u0085b', 'a\u200bb', 'a\u2028b', 'a\u2029b'],
  ],
  ['labelKey', text.labelKey, ['a', 'org.b/c-d_e'], ['', 'A', '.a', 'a.', 'a..b', 'a b', 'a=b']],
  ['word', text.word, ['', 'a=b:/c,d%'], ['a b', 'a"b', "a'b", 'a$b', 'a\\b', 'a`b', 'a;b', 'a\n']],
];

describe.each(kinds)('%s', (_name, schema, accepted, refused) => {
  test.each(accepted)('accepts %j', (value) => {
    expect(schema.safeParse(value).success).toBe(true);
  });

  test.each(refused)('refuses %j', (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});
