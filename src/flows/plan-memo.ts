import { join, resolve } from 'node:path';
import { digestOf, type Digest, type Plan } from '../core/index.ts';
import type { Files, Host } from '../host/index.ts';
import { defaultPinsFile } from './plan-definitions.ts';
import { sourceFacts, type SourceFacts } from './plan-git.ts';
import { loadDefinitions, planVariant, type PlanOptions } from './plan.ts';

interface Memo {
  readonly inputs: Digest;
  readonly plan: Plan;
}

const maxMemoBytes = 8 * 1024 * 1024;

/** Everything in the project that planning reads, beside the pins file. */
const planned = ['images', 'checksums', 'package.json'];

/** contentsOf lists what lies at a path and below: the type of each entry, and the digest of each file. */
async function contentsOf(files: Files, path: string): Promise<readonly string[]> {
  const type = (await files.stat(path))?.type ?? 'nothing';
  if (type === 'file') return [`${path} ${digestOf(await files.read(path))}`];
  if (type !== 'directory') return [`${path} ${type}`];
  const names = await files.list(path);
  return (await Promise.all(names.map((name) => contentsOf(files, join(path, name))))).flat();
}

/** inputsOf is one digest of all that a plan is made of. */
async function inputsOf(host: Host, options: PlanOptions, facts: SourceFacts, program: string): Promise<Digest> {
  const { root, variant, pinsFile = defaultPinsFile, mirrors = {} } = options;
  const paths = [...planned.map((name) => join(root, name)), resolve(root, pinsFile)];
  const contents = await Promise.all(paths.map((path) => contentsOf(host.files, path)));
  const epoch = host.env['SOURCE_DATE_EPOCH'] ?? '';
  return digestOf(JSON.stringify([program, root, variant, pinsFile, mirrors, facts, epoch, contents]));
}

async function readMemo({ files }: Host, file: string): Promise<Memo | undefined> {
  try {
    return JSON.parse(await files.readText(file, maxMemoBytes)) as Memo;
  } catch {
    return undefined;
  }
}

/**
 * rememberedPlan returns the plan of an earlier run where nothing that planning reads has changed since, and plans, and
 * remembers, otherwise. `directory` is the bundle's own: a user who can write there can change the program itself.
 * `program` differs from bundle to bundle. What it saves is in docs/decisions/0008-remembered-plan.md.
 */
export async function rememberedPlan(
  host: Host,
  options: PlanOptions,
  { directory, program }: { readonly directory: string; readonly program: string },
): Promise<Plan> {
  const file = join(directory, `plan-${digestOf(options.variant).slice(-16)}.json`);
  const facts = await sourceFacts(host, options.root);
  const inputs = await inputsOf(host, options, facts, program);
  const memo = await readMemo(host, file);
  if (memo?.inputs === inputs) return memo.plan;
  const definitions = await loadDefinitions(host, options.root, options.pinsFile);
  const plan = await planVariant(host, definitions, options, facts);
  // A plan that came with a warning (no date known) is made again, so that it warns again. A directory that is not ours
  // to write to only costs time.
  if (facts.committed !== undefined)
    await host.files.write(file, JSON.stringify({ inputs, plan }), 0o600).catch(() => undefined);
  return plan;
}
