import { AppError, throwAll } from '../../errors/index.ts';
import { eachLimited, type Mirrors, type Pin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import { checkPolicy, type Verdict } from '../../pins/bump/index.ts';
import { createPublishers } from '../../upstreams/index.ts';
import { defaultPinsFile, loadPinsAlone } from '../plan-definitions.ts';
import { onlineRoot } from '../trust/online-root.ts';
import { planChanges, type Due } from './changes.ts';
import { FirstSeen, firstSeenFile } from './first-seen.ts';
import { findRevision, History } from './history.ts';
import { Judge } from './judge.ts';
import type { Changes } from './overlay.ts';
import { alarmOf, type BumpResult, type BumpRow } from './rows.ts';
import { Signatures } from './signatures.ts';
import { checkWishes, readTargets, type Target } from './targets.ts';
import { Transaction } from './transaction.ts';
import { checkClean } from './work-tree.ts';

export interface AskOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly mirrors: Mirrors;
  /** Take versions younger than their cooldown. */
  readonly now: boolean;
  /** trusted_root.json for upstream signatures; the public one, by TUF, otherwise. */
  readonly trustedRoot?: string | undefined;
  /** Git revision or date whose facts are restored. */
  readonly to?: string | undefined;
}

export interface BumpOptions extends AskOptions {
  /** `pin` or `pin@version`; none: every pin. */
  readonly targets: readonly string[];
  /** Resolve and verify everything, write nothing. */
  readonly dryRun: boolean;
  readonly downgrade: boolean;
  /** A first-seen record that is proposed and not merged yet, as text. */
  readonly alsoSeen?: string | undefined;
}

/** Pins asked about at once. What holds back is each host's own limit, and that of commands. */
const atOnce = 32;

/**
 * bump judges the pins and, unless `dryRun`, writes what is due as one transaction. An alarm on any
 * pin stops all writing; a pin that could not be asked about stops only itself. Throws wrong use, and what
 * would leave the project inconsistent, before the first byte is written.
 */
export async function bump(host: Host, options: BumpOptions): Promise<BumpResult> {
  const { root, dryRun } = options;
  const transaction = dryRun ? undefined : await Transaction.open(host, root);
  try {
    const { pins } = await loadPinsAlone(host, root);
    const targets = readTargets(pins, options.targets, options.downgrade);
    if (options.to !== undefined && options.targets.length === 0)
      throw new AppError('bump/to', 'usage', '--to needs the names of the pins to restore', {
        hint: 'runner-image bump --to <rev|date> <pin>',
      });
    throwAll(targets.flatMap(({ pin }) => checkPolicy(pin, defaultPinsFile)));
    // What would be refused at the end is refused before anything is fetched.
    if (!dryRun) await checkClean(host, root, [defaultPinsFile, 'checksums', firstSeenFile]);
    const firstSeen = await FirstSeen.read(host, root);
    if (options.alsoSeen !== undefined) firstSeen.absorb(options.alsoSeen, `the proposed ${firstSeenFile}`);
    const rows = await askAbout(host, pins, targets, firstSeen, options);
    checkWishes(rows, targets);
    if (alarmOf(rows) !== undefined) return { rows, files: [], written: false };
    const changes = await planChanges(host, root, pins, duesOf(rows));
    return await write(host, root, transaction, rows, withRecord(changes, firstSeen));
  } finally {
    await transaction?.close();
  }
}

/** askAbout resolves and judges each target, all at once, and returns the answers in the targets' order. */
export async function askAbout(
  host: Host,
  pins: ReadonlyMap<string, Pin>,
  targets: readonly Target[],
  firstSeen: FirstSeen,
  { root, mirrors, now, trustedRoot, to }: AskOptions,
): Promise<readonly BumpRow[]> {
  const commit = to === undefined ? undefined : await findRevision(host, root, to);
  const publishers = createPublishers(host, { root, mirrors, pins });
  const { upstreams } = publishers;
  const signatures = new Signatures(host, root, publishers, { trustedRoot, online: () => onlineRoot(host) });
  const judge = new Judge(upstreams, signatures, firstSeen, host.clock, now);
  const history = commit === undefined ? undefined : new History(host, root, commit, upstreams, judge);
  const verdicts = new Map<string, Verdict>();
  await eachLimited(targets, atOnce, async ({ pin, wish }) => {
    verdicts.set(pin.name, await (history?.restore(pin) ?? judge.verdict(pin, wish)));
  });
  return targets.map(({ pin }) => ({ pin, verdict: verdicts.get(pin.name) as Verdict }));
}

export const duesOf = (rows: readonly BumpRow[]): readonly Due[] =>
  rows.flatMap(({ pin, verdict }) =>
    verdict.$case === 'due' && pin.kind !== 'rpms' ? [{ pin, resolved: verdict.resolved }] : [],
  );

/** withRecord adds the record of first sights, where something was seen for the first time. */
export function withRecord(changes: Changes, firstSeen: FirstSeen): Changes {
  const record = firstSeen.text();
  return record === undefined ? changes : new Map([...changes, [firstSeenFile, record]]);
}

/**
 * write takes the changes over as one transaction; without a transaction it only lists them. Files with changes that
 * no commit holds are refused, but for `edited`: the proposal that is completed.
 */
export async function write(
  host: Host,
  root: string,
  transaction: Transaction | undefined,
  rows: readonly BumpRow[],
  changes: Changes,
  edited?: string,
): Promise<BumpResult> {
  const files = [...changes.keys()].sort();
  if (transaction === undefined || files.length === 0) return { rows, files, written: false };
  const others = files.filter((file) => file !== edited);
  await checkClean(host, root, others);
  await transaction.write(changes);
  return { rows, files, written: true };
}
