import { expect, test } from 'vitest';
import { redactSecrets } from '../../src/contract/index.ts';

// Random-looking, and made here: nothing that looks like a credential stands in this file.
const token = (letter: string): string => `ghp_${Array.from('a1B2c3D4e5F6', (one) => `${one}${letter}7`).join('')}`;
const shown = 'ghp_… (40 characters)';

test.each([
  ['one credential', `A=${token('x')}`, `A=${shown}`],
  ['every credential of a line', `A=${token('x')} B=${token('y')} C=${token('z')}`, `A=${shown} B=${shown} C=${shown}`],
  ['the same credential twice', `${token('x')} ${token('x')}`, `${shown} ${shown}`],
])('%s is taken out', (_name, text, redacted) => {
  expect(redactSecrets(text)).toBe(redacted);
});

test('where two rules match the same place, what is left shows none of it', () => {
  const secret = token('x');
  const redacted = redactSecrets(`https://user:${secret}@github.com/ and ${token('y')}`);
  expect(redacted).not.toContain(secret.slice(4));
  expect(redacted).toMatch(/ and ghp_… \(40 characters\)$/);
});
