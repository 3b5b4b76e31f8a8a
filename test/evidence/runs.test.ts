import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { judgeRuns, requirePassed, type Gate, type Run } from '../../src/evidence/index.ts';
import { codes } from '../support/codes.ts';
import { evidence } from './evidence.ts';

const amd64 = { platform: 'linux/amd64', manifest: digestOf('amd64') } as const;
const arm64 = { platform: 'linux/arm64', manifest: digestOf('arm64') } as const;
const run = (changes: Partial<Run> = {}): Run => ({
  ...amd64,
  at: '2026-01-02T03:04:05Z',
  errors: 0,
  checks: [{ check: 'probe/startup', state: 'passed' }],
  ...changes,
});
const check = (name: string, state: Run['checks'][number]['state']) => ({ check: `probe/${name}`, state });

describe('runs', () => {
  test.each<[string, Run[]]>([
    ['a check that passed', [run()]],
    [
      'one that passed beside one that saw nothing',
      [run({ checks: [check('a', 'unobserved'), check('b', 'passed')] })],
    ],
  ])('with %s stand for a platform', (_name, runs) => {
    expect(judgeRuns({ platforms: [amd64], runs })).toEqual([]);
  });

  test.each<[string, Run[], string]>([
    ['none', [], 'no run of linux/amd64 is recorded'],
    ['one of other bytes', [run({ manifest: arm64.manifest })], 'no run of linux/amd64 is recorded'],
    ['one of another platform', [run({ platform: 'linux/arm64' })], 'no run of linux/amd64 is recorded'],
    ['an error', [run({ errors: 1 })], 'linux/amd64 failed its checks: 1 errors; failed: none'],
    [
      'a check that failed',
      [run({ checks: [check('a', 'passed'), check('b', 'failed')] })],
      'linux/amd64 failed its checks: 0 errors; failed: probe/b',
    ],
    ['no check', [run({ checks: [] })], 'no check saw linux/amd64 pass: 0 saw nothing'],
    [
      'checks that saw nothing',
      [run({ checks: [check('a', 'unobserved')] })],
      'no check saw linux/amd64 pass: 1 saw nothing',
    ],
  ])('with %s speak against a platform', (_name, runs, reason) => {
    expect(judgeRuns({ platforms: [amd64], runs })).toEqual([reason]);
  });

  test('each platform needs its own', () => {
    expect(judgeRuns({ platforms: [amd64, arm64], runs: [run()] })).toEqual(['no run of linux/arm64 is recorded']);
  });
});

describe('a gate', () => {
  const gate: Gate = { passed: true, at: '2026-01-02T03:04:05Z', errors: 0, warnings: 0, waived: 0, broken: [] };
  const refusal = (given: Gate | undefined) =>
    codes(() => {
      const seen = { platforms: [amd64], runs: [run()] };
      requirePassed({ file: 'evidence.json', evidence: { ...evidence, ...seen, gate: given } });
    });

  test('that passed lets through', () => {
    expect(refusal(gate)).toEqual([]);
  });

  test('that failed does not', () => {
    expect(refusal({ ...gate, passed: false, errors: 1, broken: ['contract/user'] })).toEqual(['trust/gate-closed']);
  });

  test('that was never asked does not', () => {
    expect(refusal(undefined)).toEqual(['trust/no-gate']);
  });
});
