import { AppError } from '../../src/errors/index.ts';
import { measure } from './measure.ts';
import type { Peers } from './peers.ts';
import type { Contender, Measurement, Row, Trial, TrialResult } from './types.ts';

export interface ContestOptions {
  readonly peers: Peers;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Handed in by tests. */
  readonly run?: typeof measure;
}

interface Entrant {
  readonly contender: Contender;
  readonly runs: Measurement[];
  missing?: string;
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle];
  if (high === undefined) return undefined;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** absent says why a contender cannot take part; undefined when it can. */
function absent({ needs = [] }: Contender, peers: Peers): string | undefined {
  const reasons = needs.flatMap((name) => {
    const { missing } = peers[name];
    return missing === undefined ? [] : [`${name}: ${missing}`];
  });
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

const reason = (error: unknown): string =>
  error instanceof AppError
    ? [error.message, error.facts.found].filter((part) => part !== undefined).join(': ')
    : String(error);

async function takeTurn(entrant: Entrant, round: number, rounds: number, options: ContestOptions): Promise<void> {
  const { contender } = entrant;
  if (entrant.missing !== undefined) return;
  if (round === 0 && contender.warm === false) return;
  if (round > Math.min(rounds, contender.most ?? rounds)) return;
  try {
    await contender.prepare?.(round);
    const run = await (options.run ?? measure)(await contender.command(round), options.signal);
    options.say(`  ${contender.name}: ${run.seconds.toFixed(2)} s${round === 0 ? ' (warm-up)' : ''}`);
    if (round > 0) entrant.runs.push(run);
  } catch (error) {
    options.signal.throwIfAborted();
    entrant.missing = `failed: ${reason(error).replace(/\s+/g, ' ').slice(0, 400)}`;
    options.say(`  ${contender.name}: ${entrant.missing}`);
  }
}

function rowsOf({ contender, runs, missing }: Entrant): Row[] {
  const note = contender.note === undefined ? {} : { note: contender.note };
  if (missing !== undefined) return [{ name: contender.name, seconds: [], missing, ...note }];
  const peaks = runs.flatMap(({ peakBytes }) => peakBytes ?? []);
  const split = runs.map((run) => contender.parts?.(run) ?? [{ name: contender.name, seconds: run.seconds }]);
  return (split[0] ?? []).map(({ name }, at) => {
    const seconds = split.map((parts) => parts[at]?.seconds ?? NaN);
    const middle = median(seconds);
    return {
      name,
      seconds,
      ...(middle === undefined ? {} : { median: middle }),
      ...(peaks.length === 0 ? {} : { peakBytes: Math.max(...peaks) }),
      ...(at === 0 ? note : {}),
    };
  });
}

/**
 * contest runs the contenders in turn, round by round (A B C, A B C), so that whatever else the
 * machine does falls on all of them. Round 0 warms up and does not count. One that fails is
 * reported as such and leaves the others alone.
 */
export async function contest(name: string, trial: Trial, options: ContestOptions): Promise<TrialResult> {
  options.say(`${name}: ${trial.title}`);
  const entrants: Entrant[] = trial.contenders.map((contender) => {
    const missing = absent(contender, options.peers);
    return { contender, runs: [], ...(missing === undefined ? {} : { missing }) };
  });
  for (let round = 0; round <= trial.rounds; round += 1)
    for (const entrant of entrants) await takeTurn(entrant, round, trial.rounds, options);
  const rows = entrants.flatMap(rowsOf);
  return {
    case: name,
    title: trial.title,
    reference: trial.reference,
    rows,
    verdicts: trial.judge?.(rows) ?? [],
    ...(trial.note === undefined ? {} : { note: trial.note }),
  };
}
