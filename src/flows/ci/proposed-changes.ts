import { join } from 'node:path';
import type { BumpablePin, Definitions, NpmPin, Pin } from '../../core/index.ts';
import { AppError, throwAll } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { rank, refuseFacts, type Verdict } from '../../pins/bump/index.ts';
import { alarmOf, FirstSeen, planChanges, proveOnCopy, type BumpRow, type Changes } from '../bump/index.ts';
import { pinsOfGroup } from './bump-groups.ts';
import type { BumpRecord } from './bump-record.ts';

export const refused = (message: string, expected: string, found: string): AppError =>
  new AppError('ci/record', 'findings', message, { expected, found, hint: 'nothing was pushed' });

type RecordedRow = BumpRecord['rows'][number];

function verdictOf({ held, answer }: RecordedRow): Verdict {
  switch (answer.$case) {
    case 'quiet':
      return { $case: 'held', held };
    case 'gone':
      return { ...answer, held };
    case 'unknown':
      return { $case: 'unknown', error: new AppError('bump/unknown', 'upstream', answer.message) };
    case 'alarm':
      return answer;
    case 'due': {
      const { facts, evidence, published, link, age, gone } = answer;
      const to = { version: facts.version, target: facts.version, published, link };
      return { $case: 'due', to, resolved: { facts, evidence, link }, held, age, gone };
    }
  }
}

/** notAllowed: what was judged elsewhere is judged again, as far as that takes no upstream. */
async function notAllowed(host: Host, root: string, { pin, verdict }: BumpRow): Promise<readonly AppError[]> {
  if (verdict.$case !== 'due') return [];
  const { to, resolved } = verdict;
  const { facts } = resolved;
  if (pin.kind !== facts.kind) return [refused(`${pin.name} has facts of another kind`, pin.kind, facts.kind)];
  const bumpable: BumpablePin = pin;
  const { ranked, held } = rank(bumpable, { $case: 'there' }, [to], { version: to.version, downgrade: false });
  const why =
    ranked.length === 0 ? (held[0]?.detail ?? 'no such version') : refuseFacts(bumpable, to, resolved)?.detail;
  const errors =
    why === undefined ? [] : [refused(`policy does not take ${pin.name} ${to.version}`, 'its policy', why)];
  if (facts.kind === 'npm' && pin.kind === 'npm') {
    const committed = await host.files.readText(join(root, pin.lock, 'package.json'));
    if (!isOwnLock(pin, facts.version, facts.files, committed))
      errors.push(refused(`the lock of ${pin.name} is not npm's own`, `${pin.package} ${facts.version} alone`, 'more'));
  }
  return errors;
}

export interface NpmFiles {
  readonly 'package.json': string;
  readonly 'package-lock.json': string;
}

/** What npm writes; undefined for any other text, one with a member that is there twice included. */
function parsedAsNpmWrites(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return `${JSON.stringify(value, null, 2)}\n` === text ? value : undefined;
  } catch {
    return undefined;
  }
}

const isPlace = (path: string): boolean => /^(?:(?:^|\/)node_modules\/(?:@[\w.-]+\/)?(?!\.)[\w.-]+)+$/.test(path);

/**
 * isOwnLock: package.json is the committed one with the new version, and the lock is npm's, of packages below
 * node_modules; `pins verify` proves the rest of it.
 */
export function isOwnLock(pin: NpmPin, version: string, files: NpmFiles, committed: string): boolean {
  const wanted = committed.replaceAll(`"${pin.version}"`, `"${version}"`);
  const lock = parsedAsNpmWrites(files['package-lock.json']) as
    { readonly packages?: object | null } | null | undefined;
  if (files['package.json'] !== wanted || lock?.packages == null) return false;
  return Object.keys(lock.packages).every((path) => path === '' || isPlace(path));
}

/** rowsOf holds the record against the group: each of its pins once, no other one. */
function rowsOf(definitions: Definitions, group: string, record: BumpRecord): readonly BumpRow[] {
  const names = pinsOfGroup(definitions, group);
  const found = record.rows.map(({ pin }) => pin);
  if (record.group !== group) throw refused('the record is of another group', group, record.group);
  if (JSON.stringify([...found].sort()) !== JSON.stringify([...names].sort()))
    throw refused('the record is about other pins than its group', names.join(', '), found.slice(0, 50).join(', '));
  return record.rows.map((row) => ({ pin: definitions.pins.get(row.pin) as Pin, verdict: verdictOf(row) }));
}

const day = 86_400_000;

/** addSights takes over what was first seen in this run. A day in the past would be a cooldown that nothing waited for. */
function addSights(firstSeen: FirstSeen, { sights }: BumpRecord, names: readonly string[], now: Date): void {
  for (const [pin, versions] of Object.entries(sights)) {
    if (!names.includes(pin)) throw refused('first sights of a pin of another group', names.join(', '), pin);
    for (const [version, { seen, identity }] of Object.entries(versions)) {
      const known = firstSeen.get(pin, version);
      const isKnown = known?.identity === identity && known.seen <= seen;
      const since = now.getTime() - Date.parse(seen);
      if (!isKnown && !(since > -day && since < 2 * day))
        throw refused(`${pin} ${version} was not first seen in this run`, now.toISOString().slice(0, 10), seen);
      if (!isKnown) firstSeen.note(pin, version, identity, seen);
    }
  }
}

export interface Proposed {
  readonly rows: readonly BumpRow[];
  readonly changes: Changes;
  /** False: an alarm, or a pin whose state is unknown; nothing says then that no pin is due. */
  readonly whole: boolean;
}

export interface ProposedOptions {
  readonly root: string;
  /** From the workflow, never from the record. */
  readonly group: string;
  readonly record: BumpRecord;
  /** First sights of the open proposal, as text. */
  readonly alsoSeen?: string | undefined;
}

/**
 * proposedChanges derives every file from the facts of a record, as `bump` does and by the same code, without asking any
 * upstream: pins.yaml, checksums, locks, `uses:` lines, and what is generated. Throws `ci/record`, `bump/*`.
 */
export async function proposedChanges(
  host: Host,
  definitions: Definitions,
  { root, group, record, alsoSeen }: ProposedOptions,
): Promise<Proposed> {
  const rows = rowsOf(definitions, group, record);
  const asked = rows.every(({ verdict }) => verdict.$case !== 'unknown');
  if (alarmOf(rows) !== undefined) return { rows, changes: new Map(), whole: false };
  throwAll((await Promise.all(rows.map((row) => notAllowed(host, root, row)))).flat());
  const firstSeen = await FirstSeen.read(host, root);
  if (alsoSeen !== undefined) firstSeen.absorb(alsoSeen, 'the open proposal');
  addSights(firstSeen, record, pinsOfGroup(definitions, group), host.clock.now());
  const planned = await planChanges(host, root, definitions.pins, rows);
  const proven = await proveOnCopy(host, root, planned);
  return { rows, changes: new Map([...proven, ...firstSeen.changes()]), whole: asked };
}

/** demandBase throws unless the record was made for the commit that is checked out. */
export function demandBase({ base }: BumpRecord, head: string): void {
  if (head !== base) throw refused('the record was made for another commit', head, base);
}
