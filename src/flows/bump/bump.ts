import { AppError, AppErrors, errorToJson, throwAll } from '../../errors/index.ts';
import type { Definitions, Mirrors, Pin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { checkPolicy, type HeldReason, type Verdict, type Wish } from '../../pins/bump/index.ts';
import { eachLimited } from '../../registry/gate.ts';
import { defaultPinsFile, loadDefinitions, loadPinsAlone } from '../plan-definitions.ts';
import type { TrustSources } from '../trust/policy-file.ts';
import type { Due } from './changes.ts';
import { FirstSeen, firstSeenFile } from './first-seen.ts';
import { judge } from './judge.ts';
import type { Changes } from './overlay.ts';
import { makeSources } from './resolvers.ts';
import type { Sources } from './resolver.ts';
import { checkClean } from './work-tree.ts';

export interface BumpOptions {
  /** Absolute path of the project. */
  readonly root: string;
  /** `pin` or `pin@version`; none: every pin. */
  readonly targets: readonly string[];
  /** Resolve and verify everything, write nothing. */
  readonly dryRun: boolean;
  readonly downgrade: boolean;
  /** Take versions younger than their cooldown. */
  readonly now: boolean;
  /** Git revision or date whose facts are restored. */
  readonly to?: string;
  readonly mirrors: Mirrors;
  /** A first-seen record that is proposed and not merged yet, as text. */
  readonly alsoSeen?: string;
  /** Whom to believe about upstream signatures; the public trust root otherwise. */
  readonly trust?: TrustSources;
}

export interface BumpRow {
  readonly pin: Pin;
  readonly verdict: Verdict;
}

export interface BumpResult {
  readonly rows: readonly BumpRow[];
  /** Paths that were written, or with dryRun would be. */
  readonly files: readonly string[];
  readonly written: boolean;
}

/** What was judged, and the files that follow from it. */
export interface Planned {
  readonly rows: readonly BumpRow[];
  readonly changes: Changes;
}

export interface Target {
  readonly pin: Pin;
  readonly wish: Wish;
}

type PinsRead = Pick<Definitions, 'pins' | 'pinsFile'>;

/** Pins asked about at once. What holds back is each host's own limit, and that of commands. */
export const atOnce = 32;

function readTargets(definitions: PinsRead, { targets, downgrade }: BumpOptions): readonly Target[] {
  if (targets.length === 0) return [...definitions.pins.values()].map((pin) => ({ pin, wish: { downgrade } }));
  const errors: AppError[] = [];
  const read = targets.flatMap((text): Target[] => {
    const at = text.indexOf('@');
    const [name, version] = at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
    const pin = definitions.pins.get(name);
    if (pin === undefined)
      errors.push(
        new AppError('bump/unknown-pin', 'usage', `no pin is called ${JSON.stringify(name.slice(0, 80))}`, {
          expected: [...definitions.pins.keys()].join(', '),
          where: { file: definitions.pinsFile },
        }),
      );
    else if (version !== undefined && (version === '' || pin.kind === 'rpms'))
      errors.push(
        new AppError('bump/version', 'usage', `${name} takes no such version`, { found: JSON.stringify(text) }),
      );
    else return [{ pin, wish: { downgrade, ...(version === undefined ? {} : { version }) } }];
    return [];
  });
  const seen = new Set<string>();
  for (const { pin } of read) {
    if (seen.has(pin.name)) errors.push(new AppError('bump/twice', 'usage', `${pin.name} is named twice`));
    seen.add(pin.name);
  }
  throwAll(errors);
  return read;
}

/** What helps beside another policy, by the reason. */
const refusalHints: Partial<Record<HeldReason, string>> = {
  downgrade: 'add --downgrade to take an older version',
  'too-new': 'add --now to take it without waiting',
  'age-unknown': 'add --now to take it without waiting',
  incomplete: 'ask the publisher for what is missing, or take another version',
  unsigned: 'ask the publisher why it is not signed, or take another version',
  'evidence-lost': 'ask the publisher why it is gone, or take another version',
};

/** A version that a person named and policy holds back is an answer that they must not miss. */
export function checkWishes(rows: readonly BumpRow[], targets: readonly Target[]): void {
  const errors = rows.flatMap(({ pin, verdict }) => {
    const wish = targets.find((target) => target.pin.name === pin.name)?.wish.version;
    if (wish === undefined || verdict.$case === 'due') return [];
    const held = 'held' in verdict ? verdict.held.find(({ version }) => version === wish) : undefined;
    if (held === undefined) return [];
    return [
      new AppError('bump/refused', 'usage', `${pin.name} ${wish} is held: ${held.reason}`, {
        found: held.detail,
        hint: refusalHints[held.reason] ?? `change the policy of ${pin.name} in ${defaultPinsFile}`,
      }),
    ];
  });
  throwAll(errors);
}

export async function judgeAll(
  sources: Sources,
  targets: readonly Target[],
  options: Pick<BumpOptions, 'root' | 'to' | 'now'>,
  firstSeen: FirstSeen,
): Promise<readonly BumpRow[]> {
  const verdicts = new Map<string, Verdict>();
  const commit = options.to === undefined ? undefined : await revisionOf(sources.host, options.root, options.to);
  await eachLimited(targets, atOnce, async ({ pin, wish }) => {
    const verdict =
      commit === undefined
        ? await judge(sources, pin, { wish, now: options.now, firstSeen })
        : await restored(sources, commit, pin);
    verdicts.set(pin.name, verdict);
  });
  return targets.flatMap(({ pin }) => {
    const verdict = verdicts.get(pin.name);
    return verdict === undefined ? [] : [{ pin, verdict }];
  });
}

async function revisionOf(host: Host, root: string, to: string): Promise<string> {
  return (await import('./history.ts')).findRevision(host, root, to);
}

async function restored(sources: Sources, commit: string, pin: Pin): Promise<Verdict> {
  const resolved = await (await import('./history.ts')).restore(sources, commit, pin);
  const { version } = resolved.facts;
  const to = { version, target: version };
  return { $case: 'due', to, resolved, held: [] };
}

export const duesOf = (rows: readonly BumpRow[]): readonly Due[] =>
  rows.flatMap(({ pin, verdict }) =>
    verdict.$case === 'due' && pin.kind !== 'rpms' ? [{ pin, resolved: verdict.resolved }] : [],
  );

async function plan(host: Host, options: BumpOptions): Promise<Planned> {
  const { root } = options;
  const definitions = await loadPinsAlone(host, root);
  const targets = readTargets(definitions, options);
  if (options.to !== undefined && options.targets.length === 0)
    throw new AppError('bump/to', 'usage', '--to needs the names of the pins to restore', {
      hint: 'runner-image bump --to <rev|date> <pin>',
    });
  throwAll(targets.flatMap(({ pin }) => checkPolicy(pin, definitions.pinsFile)));
  // What would be refused at the end is refused before anything is fetched.
  if (!options.dryRun) await checkClean(host, root, [defaultPinsFile, 'checksums', firstSeenFile]);
  const firstSeen = await FirstSeen.read(host, root);
  if (options.alsoSeen !== undefined) firstSeen.absorb(options.alsoSeen, `the proposed ${firstSeenFile}`);
  const rows = await judgeAll(
    makeSources(host, root, options.mirrors, definitions.pins, options.trust),
    targets,
    options,
    firstSeen,
  );
  checkWishes(rows, targets);
  if (alarmOf(rows) !== undefined) return { rows, changes: new Map() };
  const changes = new Map(await changesOf(host, root, duesOf(rows)));
  const record = firstSeen.text();
  if (record !== undefined) changes.set(firstSeenFile, record);
  return { rows, changes };
}

/** What follows from nothing is nothing: what is rendered from the pins is read, and proved, where one is due. */
export async function changesOf(host: Host, root: string, dues: readonly Due[]): Promise<Changes> {
  if (dues.length === 0) return new Map();
  const { computeChanges } = await import('./changes.ts');
  return computeChanges(host, root, await loadDefinitions(host, root), dues);
}

/**
 * carryOut writes what `planning` gives as one transaction, or with `dryRun` only tells it. Files that
 * somebody changed are refused, but for the one that `edited` names: the proposal that is completed.
 */
export async function carryOut(
  host: Host,
  { root, dryRun, edited }: { readonly root: string; readonly dryRun: boolean; readonly edited?: string },
  planning: () => Promise<Planned>,
): Promise<BumpResult> {
  if (dryRun) {
    const { rows, changes } = await planning();
    return { rows, files: [...changes.keys()].sort(), written: false };
  }
  const { withTransaction } = await import('./transaction.ts');
  return withTransaction(host, root, async (commit) => {
    const { rows, changes } = await planning();
    const files = [...changes.keys()].sort();
    if (files.length === 0) return { rows, files, written: false };
    await checkClean(
      host,
      root,
      files.filter((file) => file !== edited),
    );
    await commit(changes);
    return { rows, files, written: true };
  });
}

/**
 * bump judges the pins and, unless `dryRun`, writes what is due as one transaction. An alarm on any
 * pin stops all writing; a pin that could not be told stops only itself. Throws wrong use, and what
 * would leave the project inconsistent, before the first byte is written.
 */
export async function bump(host: Host, options: BumpOptions): Promise<BumpResult> {
  const { root, dryRun } = options;
  return await carryOut(host, { root, dryRun }, () => plan(host, options));
}

/** alarmOf gives the error of every pin whose version shows other bytes: its own way out, never a bump. */
export function alarmOf(rows: readonly BumpRow[]): AppError | undefined {
  const errors = rows.flatMap(({ pin, verdict }) =>
    verdict.$case !== 'alarm'
      ? []
      : [
          new AppError('bump/other-bytes', 'upstream', `ALARM: ${pin.name}: the same version has other bytes`, {
            expected: verdict.expected,
            found: `${verdict.found} at ${verdict.source}`,
            hint: 'nothing was written. Do not take the new bytes over: ask the publisher what happened, and keep building from the pinned digest',
          }),
        ],
  );
  const [first, ...rest] = errors;
  return rest.length === 0 ? first : new AppErrors(errors);
}

/** rowToJson gives one row for `--json`: no file contents, errors as their facts. */
export function rowToJson({ pin, verdict }: BumpRow): unknown {
  const base = { pin: pin.name, kind: pin.kind, ...('version' in pin ? { from: pin.version } : {}) };
  if (verdict.$case === 'unknown') return { ...base, verdict: 'unknown', error: errorToJson(verdict.error) };
  if (verdict.$case !== 'due') {
    const { $case, ...rest } = verdict;
    return { ...base, verdict: $case, ...rest };
  }
  const { resolved, to, held, age, gone } = verdict;
  const { facts, evidence } = resolved;
  const shown = facts.kind === 'npm' ? { kind: facts.kind, version: facts.version, integrity: facts.integrity } : facts;
  const { published, link = resolved.link } = to;
  return { ...base, verdict: 'due', to: to.version, facts: shown, evidence, held, age, gone, link, published };
}
