import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Transaction } from '../../src/flows/bump/transaction.ts';
import { fakeHost } from '../support/fake-host.ts';
import { changes, fresh, lay, old, root, run, state, transact, write } from './transaction-stage.ts';

// Dozens of processes are started and killed; on a busy machine each takes a second.
describe('a transaction', { timeout: 180_000 }, () => {
  it('is refused while another one runs, and not once that one was killed', async () => {
    lay();
    const first = await Transaction.open(fakeHost(), root);
    await expect(write()).rejects.toMatchObject({ code: 'bump/locked', exit: 2 });
    await first.close();
    expect(state()).toEqual(old);
    run(2, 'after');
    expect(existsSync(join(root, '.bump/lock'))).toBe(true);
    await write();
    expect(state()).toEqual(fresh);
  });

  it('a write that fails leaves every file as it was', async () => {
    lay();
    const host = fakeHost();
    const failing = {
      ...host,
      files: {
        ...host.files,
        write: async (path: string, content: string | Uint8Array) => {
          if (path.endsWith('stage/2')) throw new Error('disk full');
          return host.files.write(path, content);
        },
      },
    };
    const list = new Map(changes.map(([path, text]) => [path, text ?? undefined]));
    await expect(transact(failing, root, list)).rejects.toThrow('disk full');
    expect(state()).toEqual(old);
  });

  it('a link in the place of a file is refused', async () => {
    lay();
    rmSync(join(root, 'images/pins.yaml'));
    symlinkSync('/etc/hostname', join(root, 'images/pins.yaml'));
    await expect(write()).rejects.toMatchObject({ code: 'bump/no-file' });
  });
});
