import type { Host } from '../../host/index.ts';
import { defaultPinsFile, loadPinsAlone } from '../plan-definitions.ts';
import { askAbout, type AskOptions } from './ask.ts';
import { planChanges } from './changes.ts';
import { BumpError } from './errors.ts';
import { FirstSeen, firstSeenFile } from './first-seen.ts';
import { proveOnCopy } from './prove.ts';
import { alarmOf, type BumpResult } from './rows.ts';
import { checkPolicies, readTargets, refuseHeld } from './targets.ts';
import { Transaction } from './transaction.ts';
import { checkClean, writeChanges } from './work-tree.ts';

export interface BumpOptions extends AskOptions {
  /** `pin` or `pin@version`; none: every pin. */
  readonly targets: readonly string[];
  /** Resolve and verify everything, write nothing. */
  readonly dryRun: boolean;
  readonly downgrade: boolean;
  /** A first-seen record that is proposed and not merged yet, as text. */
  readonly alsoSeen?: string | undefined;
}

/**
 * bump resolves and judges the pins, plans what is due, proves it on a copy and, unless `dryRun`, writes it as one
 * transaction. An alarm on any pin stops all writing; a pin whose upstream does not answer stops only itself. Throws wrong
 * use, and what would leave the project inconsistent, before the first byte is written.
 */
export async function bump(host: Host, options: BumpOptions): Promise<BumpResult> {
  const { root, dryRun } = options;
  if (options.to !== undefined && options.targets.length === 0)
    throw new BumpError('bump/to', 'usage', '--to needs the names of the pins to restore', {
      hint: 'runner-image bump --to <rev|date> <pin>',
    });
  const transaction = dryRun ? undefined : await Transaction.open(host, root);
  try {
    const { pins } = await loadPinsAlone(host, root);
    const targets = readTargets(pins, options.targets, options.downgrade);
    checkPolicies(targets);
    // What would be refused at the end is refused before anything is fetched.
    if (!dryRun) await checkClean(host, root, [defaultPinsFile, 'checksums', firstSeenFile]);
    const firstSeen = await FirstSeen.read(host, root, options.alsoSeen);
    const rows = await askAbout(host, pins, targets, firstSeen, options);
    refuseHeld(rows, targets);
    if (alarmOf(rows) !== undefined) return { rows, files: [], written: false };
    const planned = await planChanges(host, root, pins, rows);
    const proven = await proveOnCopy(host, root, planned);
    return await writeChanges(host, root, transaction, rows, new Map([...proven, ...firstSeen.changes()]));
  } finally {
    await transaction?.close();
  }
}
