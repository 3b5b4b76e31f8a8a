import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const child = join(import.meta.dirname, 'size-child.ts');

interface Outcome {
  readonly peak: number;
  readonly paths: number;
  readonly bytes: number;
  readonly sample?: { readonly size: number };
}

/** A process of its own, so that the peak is the walk's and nobody else's. */
function run(what: string): Outcome {
  const result = spawnSync(process.execPath, ['--import', 'tsx', child, what], { encoding: 'utf8', timeout: 580_000 });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Outcome;
}

const maxPeak = 250e6;

describe('images beyond all measure', () => {
  it('three million entries are walked within 250 MB', () => {
    const outcome = run('entries');
    expect(outcome.paths).toBe(3_000_000 + 3_000 + 1);
    expect(outcome.sample?.size).toBe(0);
    expect(outcome.peak).toBeLessThan(maxPeak);
  });

  it('a file of 8 GB is walked within 250 MB', () => {
    const outcome = run('bytes');
    expect(outcome.sample?.size).toBe(8_000_000_000);
    expect(outcome.peak).toBeLessThan(maxPeak);
  });
});
