import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { timeLimit } from '../../src/core/time-limit.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a time limit comes, also when garbage was collected meanwhile', async () => {
  const signal = timeLimit(new AbortController().signal, 200);
  for (let round = 0; round < 3; round += 1) {
    await sleep(20);
    collectGarbage();
  }
  await expect.poll(() => signal.aborted, { timeout: 10_000 }).toBe(true);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('so does the end of what is around it, with its own reason', () => {
  const around = new AbortController();
  const signal = timeLimit(around.signal, 60_000);
  expect(signal.aborted).toBe(false);
  around.abort(new Error('Ctrl-C'));
  expect(signal.reason).toMatchObject({ message: 'Ctrl-C' });
  expect(timeLimit(around.signal, 60_000).reason).toMatchObject({ message: 'Ctrl-C' });
});
