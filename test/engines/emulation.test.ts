import { expect, test } from 'vitest';
import { emulatedBy } from '../../src/engines/emulation.ts';
import { localPlatforms } from '../../src/engines/index.ts';
import { createHost } from '../../src/host/index.ts';
import { fakeHost } from '../support/fake-host.ts';

const entry = (
  overrides: { state?: string; flags?: string; machine?: string } = {},
): string => `${overrides.state ?? 'enabled'}
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: ${overrides.flags ?? 'POF'}
offset 0
magic 7f454c460201010000000000000000000200${overrides.machine ?? 'b700'}
mask ffffffffffffff00fffffffffffffffffeffffff
`;

test('an enabled entry for 64-bit ARM with a fixed interpreter emulates arm64', () => {
  expect(emulatedBy(entry())).toBe('linux/arm64');
  expect(emulatedBy(entry({ machine: '3e00' }))).toBe('linux/amd64');
});

test.each([
  ['disabled', entry({ state: 'disabled' })],
  ['without the flag F, which containers need', entry({ flags: 'PO' })],
  ['for another architecture', entry({ machine: '1500' })],
  ['not for ELF', 'enabled\ninterpreter /usr/bin/jexec\nflags: F\nextension .jar\n'],
])('an entry that is %s does not count', (_name, text) => {
  expect(emulatedBy(text)).toBeUndefined();
});

test('entries count whatever their name, and the machine’s own platform needs none', async () => {
  const { files } = createHost({ quiet: true });
  const host = fakeHost({
    files: { ...files, list: async () => ['custom-arm', 'register', 'status'], readText: async () => entry() },
  });
  expect(await localPlatforms(host, 'linux/amd64')).toEqual(['linux/amd64', 'linux/arm64']);
  const bare = fakeHost({ files: { ...files, list: async () => Promise.reject(new Error('ENOENT')) } });
  expect(await localPlatforms(bare, 'linux/arm64')).toEqual(['linux/arm64']);
});
