import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/errors/index.ts';
import { byPodman, byUmoci, writeLayout, type Unpacked } from './engines.ts';
import { disputedCases } from './disputed-cases.ts';
import { generateImage } from './images.ts';
import { Random } from './random.ts';
import { differences, walkedTree, type TreeLines } from './trees.ts';

/**
 * Random images, unpacked by umoci and by podman with both of its kinds of store, and walked by us. Another seed or
 * number: DIFFERENTIAL_SEED=7 DIFFERENTIAL_IMAGES=2000 npx vitest run --project integration test/oci/differential
 */
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_128);
const count = Number(process.env['DIFFERENTIAL_IMAGES'] ?? 320);
const random = new Random(seed);
const images = Array.from({ length: count }, (_, index) => generateImage(random, index));

/** Memory where there is some: podman syncs every layer to its disk. It wants lower case, and paths of 50 characters at most. */
const directory = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `diff-${process.pid}`);
const layout = join(directory, 'layout');
const ours: (TreeLines | AppError)[] = [];

/** What engines refuse by rules of their own, in their words: an engine that refuses runs nothing that we missed. */
const theirRules: Readonly<Record<string, RegExp>> = {
  'umoci refuses global headers': /unknown typeflag '\\x67'/,
  'podman refuses a path twice': /duplicates of file paths not supported/,
  'podman cannot white out what the layer wrote': /file exists/,
};
/** Our refusals of what engines unpack differently. */
const ourRules = new Set(['oci/tar-whiteout', 'oci/tar-global', 'oci/tar-device', 'oci/tar-xattr', 'oci/tar-link']);

interface Verdict {
  readonly counts: Record<string, number>;
  readonly unexplained: string[];
}

function compare(theirs: readonly Unpacked[]): Verdict {
  const counts: Record<string, number> = {};
  const unexplained: string[] = [];
  const add = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
  for (const [index, { name }] of images.entries()) {
    const mine = ours[index];
    const their = theirs[index] ?? 'no answer';
    if (mine === undefined) continue;
    if (mine instanceof Map) {
      const rule =
        typeof their === 'string' ? Object.entries(theirRules).find(([, words]) => words.test(their)) : undefined;
      const found = typeof their === 'string' ? [`refused: ${their}`] : differences(mine, their);
      if (found.length === 0) add('equal');
      else if (rule !== undefined) add(rule[0]);
      else unexplained.push(`${name}: ${found.slice(0, 5).join('; ')}`);
    } else {
      const { code, message, facts } = mine as AppError;
      if (ourRules.has(code)) add(`refused by us${typeof their === 'string' ? ' and by it' : ''}: ${code}`);
      else unexplained.push(`${name}: ${code} ${message} ${facts.found ?? ''}`);
    }
  }
  return { counts, unexplained };
}

function report(engine: string, theirs: readonly Unpacked[]): Verdict {
  const verdict = compare(theirs);
  const counts = Object.entries(verdict.counts).map(([what, times]) => `${times} ${what}`);
  const different = `${verdict.unexplained.length} unexplained differences`;
  process.stdout.write(
    `differential: seed ${seed}, ${count} images, ${engine}: ${[...counts, different].join(', ')}\n`,
  );
  return verdict;
}

beforeAll(async () => {
  mkdirSync(join(directory, 'umoci'), { recursive: true });
  writeLayout(layout, images);
  for (const { layers } of images) ours.push(await walkedTree(layers).catch((error: unknown) => error as AppError));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('what we refuse because engines differ', () => {
  test('is indeed unpacked or refused differently, case by case', async () => {
    const cases = disputedCases.map(({ layers }, index) => ({ name: `case${index}`, layers }));
    const folder = `${directory}d`;
    try {
      mkdirSync(join(folder, 'umoci'), { recursive: true });
      writeLayout(join(folder, 'layout'), cases);
      const unpacked = [
        await byUmoci(join(folder, 'layout'), join(folder, 'umoci'), cases),
        byPodman('overlay', join(folder, 'layout'), join(folder, 'overlay'), cases),
        byPodman('vfs', join(folder, 'layout'), join(folder, 'vfs'), cases),
      ];
      const answers = cases.map((_case, index) =>
        unpacked.map((by) => {
          const tree = by[index];
          return tree instanceof Map
            ? [...tree]
                .map(([path, what]) => `${path} ${what}`)
                .sort()
                .join('\n')
            : 'refused';
        }),
      );
      const alike = disputedCases.filter((_case, index) => new Set(answers[index]).size === 1);
      expect(alike.map(({ what }) => what)).toEqual([]);
      expect(answers.flat().filter((answer) => answer !== 'refused').length).toBeGreaterThan(cases.length);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe(`${count} random images of seed ${seed}`, () => {
  const unpackers = [
    ['umoci', () => byUmoci(layout, join(directory, 'umoci'), images)],
    ['podman with an overlay store', () => byPodman('overlay', layout, join(directory, 'overlay'), images)],
    ['podman with a vfs store', () => byPodman('vfs', layout, join(directory, 'vfs'), images)],
  ] as const;

  test.each(unpackers)('%s unpacks exactly what the walk sees', async (engine, unpack) => {
    const { counts, unexplained } = report(engine, await unpack());
    expect(unexplained).toEqual([]);
    // Otherwise the generator makes what nobody accepts, and the comparison says nothing.
    expect(counts['equal'] ?? 0).toBeGreaterThan(count / 2);
  });
});
