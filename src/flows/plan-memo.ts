import { join } from 'node:path';
import { digestOf, type Plan } from '../core/index.ts';
import type { Files, Host } from '../host/index.ts';
import { hasWholeHistory, sourceFacts, type SourceFacts } from './plan-git.ts';
import type { PlanOptions } from './plan.ts';

/** One question that planning asked of the file system, and the answer, contents as digests. */
type Observation = readonly [ask: 'stat' | 'list' | 'read', path: string, answer: string | null];

interface Memo {
  readonly question: string;
  /** Absent where git may say something else of the same commit later. */
  readonly facts?: SourceFacts | undefined;
  readonly observations: readonly Observation[];
  readonly plan: Plan;
}

const maxMemoBytes = 8 * 1024 * 1024;

/** tracing gives files that note every question of planning with the answer it got. */
function tracing(files: Files): { readonly files: Files; readonly observations: () => readonly Observation[] } {
  const seen = new Map<string, Observation>();
  const note = (...observation: Observation): void => void seen.set(`${observation[0]} ${observation[1]}`, observation);
  return {
    observations: () => [...seen.values()],
    files: {
      ...files,
      read: async (path, limit) => {
        const content = await files.read(path, limit);
        note('read', path, digestOf(content));
        return content;
      },
      readText: async (path, limit) => {
        const content = await files.readText(path, limit);
        note('read', path, digestOf(content));
        return content;
      },
      stat: async (path) => {
        const found = await files.stat(path);
        note('stat', path, found?.type ?? null);
        return found;
      },
      list: async (path) => {
        const names = await files.list(path);
        note('list', path, digestOf(JSON.stringify(names)));
        return names;
      },
    },
  };
}

/** holds asks all the questions again: only the same answers to every one of them give the same plan. */
async function holds(files: Files, observations: readonly Observation[]): Promise<boolean> {
  const ask = async ([kind, path, answer]: Observation): Promise<boolean> => {
    switch (kind) {
      case 'stat':
        return ((await files.stat(path))?.type ?? null) === answer;
      case 'list':
        return digestOf(JSON.stringify(await files.list(path))) === answer;
      case 'read':
        return digestOf(await files.read(path)) === answer;
    }
  };
  try {
    return !(await Promise.all(observations.map(ask))).includes(false);
  } catch {
    // What cannot be read any more is planned afresh, and that tells the error.
    return false;
  }
}

async function readMemo(host: Host, file: string): Promise<Memo | undefined> {
  if ((await host.files.stat(file))?.type !== 'file') return undefined;
  try {
    return JSON.parse(await host.files.readText(file, maxMemoBytes)) as Memo;
  } catch {
    return undefined;
  }
}

/** Everything that a plan depends on beside the files that it reads. */
function questionOf(host: Host, options: PlanOptions, facts: SourceFacts, program: string): string {
  const { root, variant, pinsFile = '', mirrors = {} } = options;
  const epoch = host.env['SOURCE_DATE_EPOCH'] ?? '';
  return digestOf(JSON.stringify([program, root, variant, pinsFile, mirrors, facts, epoch]));
}

/**
 * rememberedPlan answers from `directory` when planning would read the same bytes again, and plans (and
 * remembers) otherwise: reading and checking every definition is most of what an unchanged build would do.
 * `directory` is the bundle's own: whoever can write there can change the program itself. `program` tells
 * one bundle from another.
 */
export async function rememberedPlan(
  host: Host,
  options: PlanOptions,
  place: { readonly directory: string; readonly program: string },
): Promise<Plan> {
  const file = join(place.directory, `plan-${digestOf(options.variant).slice(-16)}.json`);
  const memo = await readMemo(host, file);
  const asking = sourceFacts(host, options.root, memo?.facts);
  asking.catch(() => undefined);
  const held = memo !== undefined && (await holds(host.files, memo.observations));
  const facts = await asking;
  const question = questionOf(host, options, facts, place.program);
  if (held && memo.question === question) return memo.plan;
  const traced = tracing(host.files);
  const { loadDefinitions, planVariant } = await import('./plan.ts');
  const recording = { ...host, files: traced.files };
  const definitions = await loadDefinitions(recording, options.root, options.pinsFile);
  const plan = await planVariant(recording, definitions, options, asking);
  // A plan that came with a warning (no date known) is made again, so that it warns again.
  if (facts.committed !== undefined) {
    const whole = await hasWholeHistory(host, options.root);
    const content: Memo = { question, ...(whole ? { facts } : {}), observations: traced.observations(), plan };
    // A bundle that is not ours to write to only costs time.
    await host.files.write(file, JSON.stringify(content), 0o600).catch(() => undefined);
  }
  return plan;
}
