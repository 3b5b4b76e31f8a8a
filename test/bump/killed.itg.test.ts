import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fresh, lay, old, root, run, state, write } from './transaction-stage.ts';

// Dozens of processes are started and killed; on a busy machine each takes a second.
describe('a transaction', { timeout: 180_000 }, () => {
  it.each(['before', 'after'])(
    'killed with SIGKILL %s any step is all old or all new after the next run',
    async (when) => {
      lay();
      const whole = run(0, when);
      expect([whole.status, whole.stderr]).toEqual([0, '']);
      expect(state()).toEqual(fresh);
      const steps = Number(whole.stdout);
      expect(steps).toBeGreaterThan(10);
      const outcomes: string[] = [];
      for (let step = 1; step <= steps; step += 1) {
        lay();
        expect(run(step, when).signal).toBe('SIGKILL');
        // The next run, with nothing of its own to write, recovers.
        await write([]);
        const found = state();
        outcomes.push('checksums/other/2.sha256' in found ? 'new' : 'old');
        expect(found).toEqual(outcomes.at(-1) === 'new' ? fresh : old);
      }
      // Once decided, it stays decided: never old again after the first new.
      expect(outcomes).toEqual([...outcomes].sort().reverse());
      expect(new Set(outcomes)).toEqual(new Set(['old', 'new']));
    },
  );

  it('a file that was edited after the kill is not overwritten, and both sides are named', async () => {
    lay();
    const steps = Number(run(0, 'before').stdout);
    for (let step = 1; step <= steps; step += 1) {
      lay();
      run(step, 'before');
      if (!existsSync(join(root, '.bump/journal.json'))) continue;
      writeFileSync(join(root, 'images/pins.yaml'), 'mine');
      await expect(write([])).rejects.toMatchObject({
        code: 'bump/changed-meanwhile',
        facts: { where: { file: 'images/pins.yaml' } },
      });
      expect(readFileSync(join(root, 'images/pins.yaml'), 'utf8')).toBe('mine');
      return;
    }
    throw new Error('no step left a journal');
  });
});
