import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Transaction } from '../../src/flows/bump/transaction.ts';
import { fakeHost } from '../support/fake-host.ts';

const root = mkdtempSync(join(tmpdir(), 'bump-full-'));
afterEach(() => {
  execFileSync('umount', [root]);
  rmSync(root, { recursive: true });
});

it('on a disk that is really full, the bump ends with one error and every file is as it was', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', root]);
  mkdirSync(join(root, 'images'));
  writeFileSync(join(root, 'images/pins.yaml'), 'old');
  writeFileSync(join(root, 'images/other.yaml'), 'old');
  const big = 'x'.repeat(160 * 1024);
  const changes = new Map([
    ['images/other.yaml', big],
    ['images/pins.yaml', big],
  ]);
  const full = await Transaction.open(fakeHost(), root);
  await expect(full.write(changes)).rejects.toMatchObject({ code: 'host/disk-full', exit: 4 });
  for (const name of ['pins', 'other']) expect(readFileSync(join(root, `images/${name}.yaml`), 'utf8')).toBe('old');
  await full.close();
  // Nothing of the attempt takes space: a smaller one works at once.
  const smaller = await Transaction.open(fakeHost(), root);
  await smaller.write(new Map([['images/pins.yaml', big]]));
  await smaller.close();
  expect(readFileSync(join(root, 'images/pins.yaml'), 'utf8')).toBe(big);
});
