import { parseArgs } from 'node:util';
import { AppError } from '../../src/errors/index.ts';
import { cases } from './cases/index.ts';

export const help = `npm run bench -- [options]

  --only <names>    only these cases: ${Object.keys(cases).join(', ')}
  --quick           fewer rounds, a smaller variant, a smaller synthetic image
  --variant <name>  instead of openshell (with --quick: openshell-claude)
  --rounds <n>      at most n measured rounds of each
  --write           write docs/benchmarks.md (all cases, not --quick)
  --json            the report as JSON on stdout`;

export interface Wishes {
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly variant: string;
  readonly write: boolean;
  readonly json: boolean;
}

function wrongUse(message: string, expected: string): AppError {
  return new AppError('bench/usage', 'usage', message, { expected, hint: 'npm run bench -- --help' });
}

/** parseWishes reads the arguments; undefined when help was asked for. */
export function parseWishes(argv: readonly string[]): Wishes | undefined {
  const options = {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
    json: { type: 'boolean' },
    variant: { type: 'string' },
    rounds: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...argv], options }));
  } catch (error) {
    throw wrongUse(error instanceof Error ? error.message : String(error), 'the options below');
  }
  if (values.help === true) return undefined;
  const all = Object.keys(cases);
  const wanted = (values.only ?? []).flatMap((text) => text.split(','));
  for (const name of wanted)
    if (!all.includes(name)) throw wrongUse(`no case is called ${JSON.stringify(name)}`, all.join(', '));
  const [quick, write, json] = [values.quick === true, values.write === true, values.json === true];
  if (write && (quick || wanted.length > 0 || values.rounds !== undefined))
    throw wrongUse('--write keeps whole results only', '--write without --quick, --only and --rounds');
  const rounds = Number(values.rounds ?? 100);
  if (!Number.isInteger(rounds) || rounds < 1) throw wrongUse('--rounds is no count', 'a whole number from 1');
  const variant = values.variant ?? (quick ? 'openshell-claude' : 'openshell');
  return { names: wanted.length === 0 ? all : wanted, quick, rounds, variant, write, json };
}
