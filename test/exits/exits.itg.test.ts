import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eachLimited } from '../../src/core/limit.ts';
import { starve, starvings } from '../support/registries/starve.ts';
import { startExits, type Ended, type Exits, type Place } from './stage.ts';

let exits: Exits;
beforeAll(async () => {
  exits = await startExits();
});
afterAll(() => exits.close());

interface Case {
  readonly name: string;
  readonly args: (place: Place) => readonly string[];
  /** The code of a run in which nothing goes wrong. */
  readonly code?: number;
  /** The image's layout lies in dist/small. */
  readonly built?: boolean;
  /** Other results that a command may end with where something did: it says so itself. */
  readonly also?: RegExp;
  /** What it says with code 1 where bytes of a proof did not arrive as they are: that proof is refused, by name. */
  readonly refusal?: RegExp;
}

const mirrors = ({ root }: Place): string[] => ['--mirrors', `${root}/mirrors.json`];
const refusal = /refused:? (?:wrong-bytes|gone|malformed-bundle): /;
const cases: readonly Case[] = [
  { name: 'digest', args: ({ at }) => ['digest', `${at}/proven:v1`, `${at}/plain:v1`] },
  { name: 'check', args: ({ at }) => ['check', `${at}/plain:v1`, '--profile', 'standard'], code: 1 },
  { name: 'sbom', args: ({ at }) => ['sbom', `${at}/plain:v1`] },
  { name: 'verify', args: ({ at }) => ['verify', `${at}/proven:v1`, ...exits.who], refusal },
  {
    name: 'promote',
    args: ({ at }) => ['promote', `${at}/proven:v1`, `${at}/promoted:stable`, ...exits.who],
    refusal,
  },
  {
    name: 'sign',
    args: ({ at, digest }) => ['sign', `${at}/plain@${digest}`, ...exits.services, '--without-gate', 'a test'],
  },
  {
    name: 'attest',
    args: (place) => [
      ...['attest', `${place.at}/proven@${place.digest}`, '--variant', 'small', ...mirrors(place), ...exits.services],
      ...['--engine-product', 'Docker Engine', '--engine-version', '1'],
    ],
    refusal,
  },
  {
    name: 'publish',
    built: true,
    args: (place) => ['publish', 'small', '--to', `${place.at}/new`, '--tag', 'v1', '--skip-gate', ...mirrors(place)],
  },
  {
    name: 'build --published',
    args: (place) => [
      ...['build', 'small', '--published', `${place.at}/plain`, '--engine', 'dry-run', ...mirrors(place)],
    ],
    also: /^nothing was built for linux\/amd64, linux\/arm64: a dry run$/m,
  },
  { name: 'pins verify --online', args: (place) => ['pins', 'verify', '--online', ...mirrors(place)] },
  { name: 'bump --dry-run', args: (place) => ['bump', '--dry-run', '--now', ...mirrors(place)] },
];

/** What may differ from one sound run to the next; blobs that many proofs share count as copied once or more. */
const steady = (text: string): string =>
  text
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replaceAll(/\d+(?:\.\d+)? (?:blobs|B|kB|MB|ms|s)\b/g, 'N')
    .split('\n')
    .sort()
    .join('\n');

/** judge says what is wrong with how a run ended; nothing, where it has its result or says why not. */
function judge({ code, stdout, stderr }: Ended, sound: Ended, { also, refusal: refused }: Case): string | undefined {
  const whole = steady(stdout) === steady(sound.stdout) || also?.test(stdout) === true;
  if (code === 0 && !whole) return `0 without its result: ${JSON.stringify(stdout.slice(0, 300))}`;
  if (code === sound.code && whole) return undefined;
  if (code === 0 && sound.code !== 0) return 'a finding was lost';
  if (code === 1 && refused?.test(stdout + stderr) === true) return undefined;
  if (code === 3) return stderr === '' ? '3 without a word' : undefined;
  return `code ${code}: ${stderr.slice(-600)}`;
}

describe('no command ends well without its result, whatever the registry does to it', () => {
  const counts: string[] = [];
  afterAll(() => {
    process.stdout.write(`${counts.join('\n')}\n`);
  });

  test.each(cases)('$name', async (given) => {
    const { name, args, code = 0, built, also } = given;
    const counting = starve('cut', Infinity, false);
    const sound = await exits.run(args, counting.fault, { built });
    expect([sound.code, sound.stdout === '', also?.test(sound.stdout) ?? false], sound.stderr).toEqual([
      code,
      false,
      false,
    ]);
    const points = counting.seen();
    expect(points).toBeGreaterThan(0);
    // Every request, in two ways (in one, of a command with very many): all of them by turns, and one that only a
    // parser finds out. Half of the trials go on as they began; one that is not answered is interrupted instead.
    const trials = Array.from({ length: points }, (_none, at) => [
      { how: starvings[at % starvings.length] ?? 'cut', at, on: at % 4 < 2 },
      { how: at % 2 === 0 ? ('malformed' as const) : ('short' as const), at, on: at % 4 >= 2 },
    ]).flatMap((pair) => pair.slice(0, points > 40 ? 1 : 2));
    const ended = { 'its result': 0, 'an error': 0 };
    const wrong: string[] = [];
    await eachLimited(trials, availableParallelism(), async ({ how, at, on }) => {
      const interrupt = new AbortController();
      const { fault } = starve(how, at, on && how !== 'stall', () => {
        setTimeout(() => {
          interrupt.abort();
        }, 50);
      });
      const run = await exits.run(args, fault, { built, signal: interrupt.signal });
      const interrupted = interrupt.signal.aborted && (run.code === 130 || run.code === 3 || run.code === 4);
      const why = interrupted ? undefined : judge(run, sound, given);
      if (why !== undefined) wrong.push(`${how} ${on ? 'from' : 'at'} request ${at}: ${why}`);
      ended[run.code === code ? 'its result' : 'an error'] += 1;
    });
    counts.push(`${name}: ${points} requests, ${trials.length} trials, ${JSON.stringify(ended)}`);
    expect(wrong).toEqual([]);
  });
});
