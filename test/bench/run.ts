/** `npm run bench`: us against the peers, side by side on this machine. Needs the lab, and starts it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, errorToJson, exitCodes, renderError } from '../../src/errors/index.ts';
import { createHost } from '../../src/host/index.ts';
import { isUp, projectRoot, readLab, up, type LabState } from '../../src/lab/index.ts';
import { cases } from './cases/index.ts';
import { contest } from './contest.ts';
import { describeMachine } from './machine.ts';
import { findPeers } from './peers.ts';
import { explanation } from './explanation.ts';
import { Stage, sweep } from './stage.ts';
import { formatMarkdown, formatText, formatTrial, type BenchReport } from './table.ts';
import type { TrialResult } from './types.ts';
import { help, parseWishes, type Wishes } from './wishes.ts';

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

async function findLab(): Promise<LabState> {
  const lab = await readLab();
  return lab !== undefined && (await isUp(lab)) ? lab : await up({ say });
}

async function main(host: ReturnType<typeof createHost>, wishes: Wishes): Promise<BenchReport> {
  const machine = await describeMachine();
  const lab = await findLab();
  const chosen = wishes.names.flatMap((name) => {
    const known = cases[name];
    return known === undefined ? [] : [{ name, known }];
  });
  say('peers');
  const found = await findPeers(lab.cache, new Set(chosen.flatMap(({ known }) => known.peers)));
  await sweep(join(lab.cache, 'bench'));
  const stage = new Stage({ host, lab, found, quick: wishes.quick, variant: wishes.variant, say });
  const results: TrialResult[] = [];
  for (const { name, known } of chosen) {
    say(`${name}: preparing`);
    host.signal.throwIfAborted();
    for (const trial of await known.trials(stage)) {
      const rounds = Math.min(trial.rounds, wishes.rounds);
      const result = await contest(name, { ...trial, rounds }, { peers: found.peers, signal: host.signal, say });
      results.push(result);
      process.stderr.write(`\n${formatTrial(result)}\n\n`);
    }
  }
  const { quick, variant } = wishes;
  const date = host.clock.now().toISOString().slice(0, 10);
  return { version: 1, date, variant, quick, machine, peers: found.peers, trials: results };
}

async function run(argv: readonly string[]): Promise<number> {
  const wishes = parseWishes(argv);
  if (wishes === undefined) {
    process.stdout.write(`${help}\n`);
    return exitCodes.clean;
  }
  const host = createHost();
  const stop = (signal: NodeJS.Signals): void => {
    say(`${signal}: stopping and cleaning up`);
    host.abort(signal);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const report = await main(host, wishes).catch((error: unknown) => {
      if (!host.signal.aborted) throw error;
      throw new AppError('bench/interrupted', 'machine', 'interrupted; what was made for the run is removed');
    });
    process.stdout.write(`${wishes.json ? JSON.stringify(report, null, 2) : formatText(report)}\n`);
    if (wishes.write) {
      const file = join(projectRoot, 'docs', 'benchmarks.md');
      await writeFile(file, formatMarkdown(report, explanation));
      say(`wrote ${file}`);
    }
    return exitCodes.clean;
  } finally {
    await host.close();
  }
}

const argv = process.argv.slice(2);
const code = await run(argv).catch((error: unknown) => {
  process.stderr.write(`${renderError(error)}\n`);
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: errorToJson(error) })}\n`);
  return error instanceof AppError ? error.exit : exitCodes.machine;
});
process.stdout.write('', () => process.exit(code));
