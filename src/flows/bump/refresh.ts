import { join } from 'node:path';
import type { AppError } from '../../errors/index.ts';
import { throwAll } from '../../errors/index.ts';
import type { Facts, Pin } from '../../core/index.ts';
import { maxYamlBytes, readPins, type PinEntry } from '../../config/index.ts';
import type { Host } from '../../host/index.ts';
import type { Requested } from '../../pins/bump/index.ts';
import { defaultPinsFile, loadPinsAlone } from '../plan-definitions.ts';
import { askAbout, type AskOptions } from './ask.ts';
import { planChanges } from './changes.ts';
import { BumpError } from './errors.ts';
import { FirstSeen, firstSeenFile } from './first-seen.ts';
import { fileAt, findRevision } from './history.ts';
import { overlay } from './overlay.ts';
import { proveOnCopy } from './prove.ts';
import type { BumpResult, BumpRow } from './rows.ts';
import { checkPolicies, refuseHeld, type Target } from './targets.ts';
import { Transaction } from './transaction.ts';
import { checkClean, writeChanges } from './work-tree.ts';

export interface RefreshOptions extends Omit<AskOptions, 'to'> {
  /** The revision that the edit is held against: everything was whole there. */
  readonly since: string;
  readonly dryRun: boolean;
  readonly downgrade: boolean;
}

/** What a proposal may change; everything else of a pin follows from it. */
const values = ['version', 'digest', 'commit', 'integrity'] as const;
type Edited = Readonly<Partial<Record<(typeof values)[number], string>>>;

/** onlyValues refuses a file that differs in more than values: the rest would be lost when it is rewritten. */
function onlyValues(before: string, after: string): void {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  const line = new RegExp(`^    (?:${values.join('|')}): `);
  const other = fresh.findIndex((text, at) => text !== old[at] && !(line.test(text) && line.test(old[at] ?? '')));
  if (old.length === fresh.length && other < 0) return;
  throw new BumpError('bump/refresh', 'usage', 'more than values of pins was edited', {
    expected: `only lines with ${values.join(', ')} changed`,
    where: other < 0 ? { file: defaultPinsFile } : { file: defaultPinsFile, line: other + 1 },
    hint: 'commit the other changes first, or give the revision that has them: --refresh <rev>',
  });
}

function editedPins(before: string, after: string): ReadonlyMap<string, Edited> {
  const read = (text: string): ReadonlyMap<string, PinEntry> => readPins(text, defaultPinsFile).value.entries;
  const old = read(before);
  return new Map(
    [...read(after)].flatMap(([name, entry]) => {
      const was = old.get(name) as Readonly<Record<string, unknown>> | undefined;
      const is = entry as unknown as Readonly<Record<string, unknown>>;
      const changed = values.flatMap((key) => (was?.[key] === is[key] ? [] : [[key, String(is[key])] as const]));
      return changed.length === 0 ? [] : [[name, Object.fromEntries(changed)] as const];
    }),
  );
}

/** A commit names a git source by itself; everything else is asked for by its version. */
function requestOf(pin: Pin, { version, commit }: Edited, downgrade: boolean): Requested {
  const own = 'version' in pin ? pin.version : '';
  return { downgrade, version: pin.kind === 'git' && commit !== undefined ? commit : (version ?? own) };
}

/** What was written has to be what the upstream says: a proposal completes nothing that was made up. */
function mismatches(pin: Pin, edited: Edited, facts: Facts): readonly AppError[] {
  const found = facts as unknown as Readonly<Record<string, string | undefined>>;
  return Object.entries(edited).flatMap(([key, value]) => {
    if (found[key] === value || (pin.kind === 'git' && key === 'version')) return [];
    return [
      new BumpError('bump/refresh-mismatch', 'upstream', `${pin.name}: its ${key} is not what the upstream has`, {
        expected: found[key] ?? `no ${key}`,
        found: value,
        where: { file: defaultPinsFile },
        hint: 'nothing was written: correct the value, or leave it out of the proposal',
      }),
    ];
  });
}

/** demandAll throws where a value that was edited is not due, or is not what the upstream has. */
function demandAll(rows: readonly BumpRow[], edits: ReadonlyMap<string, Edited>): void {
  throwAll(
    rows.flatMap(({ pin, verdict }) => {
      const edited = edits.get(pin.name) ?? {};
      if (verdict.$case === 'due') return mismatches(pin, edited, verdict.resolved.facts);
      if (verdict.$case !== 'current') return [];
      return new BumpError('bump/refresh-mismatch', 'upstream', `${pin.name}: the upstream has nothing like this`, {
        expected: 'what the tag names now',
        found: Object.values(edited).join(', '),
        where: { file: defaultPinsFile },
        hint: 'nothing was written',
      });
    }),
  );
}

/**
 * refresh completes a proposal: where Renovate or a person changed a pin's version or digest, it resolves
 * and verifies all that depends on it, by the pin's policy, and writes it as one transaction. Throws like `bump`,
 * and `bump/refresh-mismatch` when the edited value is not what the upstream has.
 */
export async function refresh(host: Host, options: RefreshOptions): Promise<BumpResult> {
  const { root, since, downgrade, dryRun } = options;
  const transaction = dryRun ? undefined : await Transaction.open(host, root);
  try {
    const before = await fileAt(host, root, await findRevision(host, root, since), defaultPinsFile);
    const after = await host.files.readText(join(root, defaultPinsFile), maxYamlBytes);
    const edits = editedPins(before, after);
    if (edits.size === 0) return { rows: [], files: [], written: false };
    onlyValues(before, after);
    if (!dryRun) await checkClean(host, root, ['checksums', firstSeenFile]);
    // The project as it was whole: the edit is a request, and everything that it means is computed from there.
    const whole = overlay(host, root, new Map([[defaultPinsFile, before]]));
    const { pins } = await loadPinsAlone(whole, root);
    const targets = [...edits].flatMap(([name, edited]): Target[] => {
      const pin = pins.get(name);
      return pin === undefined ? [] : [{ pin, requested: requestOf(pin, edited, downgrade) }];
    });
    checkPolicies(targets);
    const firstSeen = await FirstSeen.read(host, root);
    const rows = await askAbout(host, pins, targets, firstSeen, options);
    refuseHeld(rows, targets);
    demandAll(rows, edits);
    // All of it or nothing: a proposal that is half complete looks whole.
    if (rows.some(({ verdict }) => verdict.$case !== 'due')) return { rows, files: [], written: false };
    const planned = await planChanges(whole, root, pins, rows);
    const proven = await proveOnCopy(whole, root, planned);
    const changes = new Map([...proven, ...firstSeen.changes()]);
    return await writeChanges(host, root, transaction, rows, changes, defaultPinsFile);
  } finally {
    await transaction?.close();
  }
}
