import { describe, expect, test } from 'vitest';
import { contest, median } from './contest.ts';
import { measure } from './measure.ts';
import { peerNames, type Peers } from './peers.ts';
import { formatMarkdown, formatTrial, type BenchReport } from './table.ts';
import type { Contender, Measurement, Trial } from './types.ts';
import { fastest, memoryUnder, under, within } from './verdicts.ts';
import { parseWishes } from './wishes.ts';

const peers = Object.fromEntries(
  peerNames.map((name) => [name, name === 'trivy' ? { path: name, missing: 'no build of it' } : { path: name }]),
) as Peers;
const never = new AbortController().signal;

/** A clock of its own: each command says how long it takes, and what it was is written down. */
function setting() {
  const ran: string[] = [];
  const run = async ({ argv }: { readonly argv: readonly string[] }): Promise<Measurement> => {
    const [name = '', seconds] = argv;
    ran.push(name);
    if (name === 'broken') throw new Error('it broke');
    return { seconds: Number(seconds), peakBytes: 50e6 * ran.length, stdout: '' };
  };
  return { ran, options: { peers, signal: never, say: () => undefined, run } };
}

const contender = (name: string, seconds: readonly number[], more: Partial<Contender> = {}): Contender => ({
  name,
  command: (round) => ({ argv: [name, String(seconds[round] ?? 0)] }),
  ...more,
});

const trialOf = (contenders: readonly Contender[], rounds = 2): Trial => ({
  title: 'a trial',
  reference: 'ours',
  rounds,
  contenders,
});

describe('a contest', () => {
  test('runs the contenders in turn and leaves the warm-up out of the median', async () => {
    const { ran, options } = setting();
    const trial = trialOf([contender('ours', [9, 1, 3]), contender('theirs', [9, 4, 6])]);
    const { rows } = await contest('case', trial, options);
    expect(ran).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs']);
    expect(rows.map(({ median: middle, seconds }) => [middle, seconds])).toEqual([
      [2, [1, 3]],
      [5, [4, 6]],
    ]);
  });

  test('prepares before each run, and runs slow ones as often as they allow', async () => {
    const { ran, options } = setting();
    const prepared: number[] = [];
    const prepare = async (round: number) => void prepared.push(round);
    const slow = contender('slow', [9, 9, 9], { most: 1, warm: false, prepare });
    await contest('case', trialOf([contender('ours', [1, 1, 1]), slow]), options);
    expect(ran).toEqual(['ours', 'ours', 'slow', 'ours']);
    expect(prepared).toEqual([1]);
  });

  test('reports a missing and a failing peer with the reason, and goes on', async () => {
    const { ran, options } = setting();
    const trial = trialOf([
      contender('ours', [1, 1, 1]),
      contender('scan', [1], { needs: ['trivy'] }),
      contender('broken', [1]),
    ]);
    const result = await contest('case', trial, options);
    expect(ran).toEqual(['ours', 'broken', 'ours', 'ours']);
    expect(result.rows.map(({ missing }) => missing)).toEqual([
      undefined,
      'trivy: no build of it',
      'failed: Error: it broke',
    ]);
    expect(formatTrial(result)).toMatch(/scan: missing, trivy: no build of it/);
  });

  test('makes a row of every part that a run reports', async () => {
    const { options } = setting();
    const parts = ({ seconds }: Measurement) => [
      { name: 'engine', seconds: seconds - 1 },
      { name: 'export', seconds: 1 },
    ];
    const { rows } = await contest('case', trialOf([contender('ours', [5, 5, 7], { parts })]), options);
    expect(rows.map(({ name, median: middle }) => [name, middle])).toEqual([
      ['engine', 5],
      ['export', 1],
    ]);
  });
});

describe('verdicts', () => {
  const rows = [
    { name: 'ours', seconds: [1.2], median: 1.2, peakBytes: 260e6 },
    { name: 'limit', seconds: [1], median: 1 },
    { name: 'peer', seconds: [3], median: 3 },
    { name: 'gone', seconds: [], missing: 'not there' },
  ];

  test('say whether an aim was met, and by how much', () => {
    expect(under(rows, 'ours', 1)).toMatchObject([{ met: false, found: '1.200 s' }]);
    expect(within(rows, 'ours', 'limit', 1.3)).toMatchObject([{ met: true, found: '1.20×' }]);
    expect(memoryUnder(rows, 'ours', 250)).toMatchObject([{ met: false, found: '260 MB' }]);
    expect(fastest(rows, 'ours', ['limit'])).toMatchObject([{ met: true, found: '2.50× peer' }]);
  });

  test('are not given on what was not measured', () => {
    expect(within(rows, 'ours', 'gone', 1)).toEqual([]);
    expect(memoryUnder(rows, 'peer', 250)).toEqual([]);
  });
});

test('the median of an even number lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeUndefined();
});

test('a command is timed, its output kept, and its failure told', async () => {
  const run = await measure({ argv: ['/bin/sh', '-c', 'sleep 0.2; echo done'] }, never);
  expect(run.stdout).toBe('done\n');
  expect(run.seconds).toBeGreaterThan(0.19);
  await expect(measure({ argv: ['/bin/sh', '-c', 'echo no >&2; exit 3'] }, never)).rejects.toMatchObject({
    code: 'bench/failed',
    facts: { found: '3: no' },
  });
  await expect(measure({ argv: ['/bin/true'] }, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  const accepted = await measure({ argv: ['/bin/sh', '-c', 'exit 1'], accepts: [0, 1] }, never);
  expect(accepted.stdout).toBe('');
});

test('docs/benchmarks.md names machine, peers and every table, and takes whole results only', () => {
  const report: BenchReport = {
    version: 1,
    date: '2026-11-22',
    variant: 'openshell',
    quick: false,
    machine: { cpu: 'A CPU', cores: 2, memoryBytes: 2 ** 34, system: 'An OS', kernel: '6', node: 'v20', load: 0 },
    peers,
    trials: [
      {
        case: 'push',
        title: 'fresh',
        reference: 'ours',
        rows: [
          { name: 'ours', seconds: [1, 2], median: 1.5, peakBytes: 100e6 },
          { name: 'crane | push', seconds: [3], median: 3 },
        ],
        verdicts: [],
      },
    ],
  };
  const text = formatMarkdown(report, '# Benchmarks');
  expect(text).toContain('A CPU, 2 cores, 16 GiB');
  expect(text).toContain('trivy missing: no build of it');
  expect(text).toContain('| ours | 1.500 s | 1.000–2.000 | 2 | 1.00× | 100 MB |');
  expect(text).toContain('| crane \\| push | 3.000 s | 3.000–3.000 | 1 | 2.00× | – |');
  expect(() => parseWishes(['--write', '--quick'])).toThrow(/whole results/);
  expect(() => parseWishes(['--only', 'pull'])).toThrow(/no case/);
  expect(parseWishes(['--only', 'push,check', '--quick'])).toMatchObject({
    names: ['push', 'check'],
    variant: 'openshell-claude',
  });
});
