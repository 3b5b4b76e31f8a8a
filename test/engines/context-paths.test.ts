import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { digestOf, type ContextFile } from '../../src/core/index.ts';
import { contextSource } from '../../src/engines/index.ts';
import { fakeHost } from '../support/fake-host.ts';

/** The context of one file, which had `size` bytes when it was looked at and has these now. */
async function made(file: Partial<ContextFile>, size = 1, content = 'x'): Promise<Readable> {
  const host = fakeHost();
  const files = {
    ...host.files,
    stat: async (path: string) => ({ type: path.endsWith('/plain') ? 'file' : 'directory', size }) as never,
    openRead: () => Readable.from([Buffer.from(content)]),
  };
  const whole: ContextFile = { path: 'a', source: 'dir/plain', mode: 0o644, digest: digestOf(content), ...file };
  return (
    await contextSource({ ...host, files }, { root: '/nowhere', files: [whole], dockerfile: 'FROM scratch\n' })
  )();
}
const outcome = (stream: Promise<Readable>): Promise<string> =>
  stream
    .then((one) => one.toArray())
    .then(
      () => 'made',
      (error: unknown) => (error as { readonly code: string }).code,
    );

test('a plain path makes a context', async () => {
  expect(await outcome(made({ path: 'a/..b/c.d' }))).toBe('made');
});

describe.each(['path', 'source'] as const)('a %s', (member) => {
  test.each(['', '/plain', '../plain', 'a/../plain', 'a/..', '.', './plain', 'a//plain', 'a\\plain', 'a\0/plain'])(
    'of %j is refused',
    async (value) => {
      expect(await outcome(made({ [member]: value }))).toBe('engines/context-path');
    },
  );
});

describe('a file that is another one when it is read', () => {
  // Its digest is that of what it holds now: only its size gives it away.
  test.each([
    ['longer by a byte', 1, 'xy'],
    ['shorter by a byte', 2, 'x'],
  ])('%s ends the context', async (_name, size, content) => {
    expect(await outcome(made({}, size, content))).toBe('engines/context-changed');
  });
});
