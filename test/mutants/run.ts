#!/usr/bin/env node
// Changes a room's code a little, again and again, and names each change that its unit tests do not notice:
//   npm run mutants -- ROOM…
import { readFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import { equivalent, type Equivalent } from './equivalent.ts';
import { rooms, type MutatedRoom } from './rooms.ts';

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const noticed = new Set(['Killed', 'Timeout']);
const unnoticed = new Set(['Survived', 'NoCoverage']);

const lineOf = ({ fileName, location }: Mutant): string =>
  readFileSync(fileName, 'utf8').split('\n')[location.start.line - 1] ?? '';
const pathOf = ({ fileName }: Mutant): string => fileName.slice(fileName.indexOf('src/'));

const isEquivalent = (mutant: Mutant): boolean =>
  equivalent.some(
    ({ file, line, replacement }: Equivalent) =>
      file === pathOf(mutant) &&
      lineOf(mutant).includes(line) &&
      (replacement === undefined || replacement === mutant.replacement),
  );

/** Stryker's own answer to every mutant; what did not change since the last run is not run again. */
async function mutantsOf(name: string, { sources, tests }: MutatedRoom): Promise<readonly Mutant[]> {
  process.env['MUTANTS_TESTS'] = tests.join(' ');
  return await new Stryker({
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
    mutate: [...sources],
    // The wording of messages is no behaviour.
    mutator: { plugins: null, excludedMutations: ['StringLiteral', 'ObjectLiteral'] },
    ignorePatterns: ['/dist', '/lib', '/.lab'],
    tempDirName: 'dist/mutants',
    coverageAnalysis: 'perTest',
    incremental: true,
    incrementalFile: `node_modules/.cache/mutants/${name}.json`,
    reporters: ['dots'],
    allowConsoleColors: false,
  }).runMutationTest();
}

/** Prints what survived and the score; returns whether the score is high enough. */
async function judge(name: string): Promise<boolean> {
  const room = rooms[name];
  if (room === undefined) throw new Error(`no room ${name}: there are ${Object.keys(rooms).join(', ')}`);
  const mutants = (await mutantsOf(name, room)).filter((mutant) => !isEquivalent(mutant));
  const survivors = mutants.filter(({ status }) => unnoticed.has(status));
  for (const mutant of survivors) {
    const { line, column } = mutant.location.start;
    const change = mutant.replacement.replaceAll(/\s+/g, ' ').slice(0, 60);
    console.log(`${pathOf(mutant)}:${line}:${column + 1} ${mutant.mutatorName}: ${change}`);
  }
  const found = mutants.filter(({ status }) => noticed.has(status)).length;
  const all = found + survivors.length;
  const score = all === 0 ? 0 : (100 * found) / all;
  console.log(`${name}: ${found} of ${all} noticed, ${score.toFixed(1)} % (at least ${room.score} %)`);
  return score >= room.score;
}

const wanted = process.argv.slice(2);
if (wanted.length === 0) throw new Error(`name a room: ${Object.keys(rooms).join(', ')}`);
const verdicts: boolean[] = [];
for (const name of wanted) verdicts.push(await judge(name));
process.exitCode = verdicts.every(Boolean) ? 0 : 1;
