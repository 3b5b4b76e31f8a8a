import { describe, expect, test } from 'vitest';
import { redactUrl, Secrets } from '../../src/registry/redact.ts';

const scrub = (text: string, ...known: readonly string[]): string => {
  const secrets = new Secrets();
  secrets.remember(...known);
  return secrets.scrub(text);
};

describe('foreign words', () => {
  test.each([
    ['every place of a secret', 'a hush b hush c', 'a [redacted] b [redacted] c'],
    ['a bearer token in any case', 'BEARER abcdefgh basic 12345678', 'BEARER [redacted] basic [redacted]'],
    ['an assigned token', 'token=abc; x_password: abc "secret":"abc"', 'token=…; x_password: abc "secret":"…"'],
    ['an escape of either set', 'a\u001b[1mb\u009b1mc\u007fd', 'a[1mb1mcd'],
    ['line breaks', 'a\r\nb\tc', 'a b c'],
    ['what signs a URL', 'see https://u:p@h/x?sig=1&n=2', 'see https://h/x?sig=…&n=2'],
  ])('lose %s', (_name, text, shown) => {
    expect(scrub(text, 'hush')).toBe(shown);
  });

  test('lose a secret of four characters, and keep ordinary words of three', () => {
    expect(scrub('four and for', 'four', 'for')).toBe('[redacted] and for');
  });

  test('of 300 characters are shown whole', () => {
    expect(scrub('x'.repeat(300))).toBe('x'.repeat(300));
  });

  test('of more are cut', () => {
    expect(scrub('x'.repeat(301))).toBe(`${'x'.repeat(300)}…`);
  });
});

test.each([
  ['https://u:p@h.example/a?token=1&digest=d', 'https://h.example/a?token=…&digest=d'],
  ['https://h.example/a?Digest=d', 'https://h.example/a?Digest=…'],
  ['https://h.example/a#fragment', 'https://h.example/a'],
  ['data:text/plain,hush', 'data:…'],
  ['/v2/a?x=1\n2', '/v2/a?…'],
])('%j is shown as %j', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
