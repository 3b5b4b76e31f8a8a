import { beforeAll, describe, expect, test } from 'vitest';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import {
  brokenSiblings,
  checkCustom,
  exampleRecipe,
  publishedBase,
  told,
  withBuilt,
  type Base,
} from './derived-kit.ts';

let lab: LabState;
let base: Base;
beforeAll(async () => {
  lab = await useLab();
  base = await publishedBase(lab);
});

const siblings = await brokenSiblings();

test('the example derived image keeps the contract, and its base is proved by its labels', async () => {
  await withBuilt(lab, await exampleRecipe(lab, base), async ({ tag }) => {
    const { report, evaluation } = await checkCustom(lab, `docker-daemon:${tag}`);
    expect(told(report.findings)).toEqual([]);
    expect(evaluation.summary.undecided).toEqual([]);
  });
});

describe('a sibling that breaks one requirement yields that finding and no other', () => {
  test('there are a dozen at least', () => {
    expect(siblings.length).toBeGreaterThanOrEqual(12);
    expect(new Set(siblings.map(({ finds }) => finds)).size).toBe(siblings.length);
  });

  test.each(siblings)('$name: $finds', async ({ name, finds, dockerfile }) => {
    const recipe = { name, dockerfile, buildArgs: { BASE: base.reference, BASE_DIGEST: base.digest } };
    await withBuilt(lab, recipe, async ({ tag }) => {
      const { report, evaluation } = await checkCustom(lab, `docker-daemon:${tag}`, { base: base.reference });
      expect(told(report.findings)).toEqual([finds]);
      expect(evaluation.summary.undecided).toEqual([]);
    });
  });
});
