import { join } from 'node:path';
import { hexOf, type BumpablePin, type Pin, type ReleasePin, type Resolved } from '../../core/index.ts';
import { maxYamlBytes, readPins } from '../../config/index.ts';
import type { Host } from '../../host/index.ts';
import { defaultPinsFile } from '../plan-definitions.ts';
import { actionChanges } from './action-files.ts';
import { editPins, type PinEdit } from './edit-pins.ts';
import { BumpError } from './errors.ts';
import type { Changes } from './overlay.ts';
import type { BumpRow } from './rows.ts';

interface Due {
  readonly pin: BumpablePin;
  readonly resolved: Resolved;
}

/** checksumPath is the old file's name with the new version in it. */
const checksumPath = (pin: ReleasePin, version: string): string =>
  pin.checksumFile.includes(pin.version)
    ? pin.checksumFile.replaceAll(pin.version, version)
    : `checksums/${pin.name}/${version}.sha256`;

function editOf({ pin, resolved }: Due): PinEdit {
  const { facts, evidence } = resolved;
  const { version } = facts;
  switch (facts.kind) {
    case 'image': {
      const { digest, platforms } = facts;
      return { set: { version, digest }, platforms, evidence, learned: 'per-platform' };
    }
    case 'release':
      return { set: { version, checksumFile: checksumPath(pin as ReleasePin, version) }, evidence };
    case 'npm':
      return { set: { version, integrity: facts.integrity }, evidence };
    case 'python':
      return { set: { version }, evidence };
    case 'git':
      return { set: { version, commit: facts.commit, tree: facts.tree, digest: facts.digest }, evidence };
    case 'action':
      return { set: { version, commit: facts.commit }, evidence };
  }
}

/** The files beside pins.yaml that belong to one pin. */
async function ownFiles(host: Host, root: string, { pin, resolved }: Due): Promise<Changes> {
  const { facts } = resolved;
  if (facts.kind === 'npm' && pin.kind === 'npm')
    return new Map(Object.entries(facts.files).map(([name, text]) => [`${pin.lock}/${name}`, text]));
  if (facts.kind === 'action' && pin.kind === 'action') return actionChanges(host, root, pin, facts);
  if (facts.kind !== 'release' || pin.kind !== 'release') return new Map();
  const lines = facts.assets.map(({ name, digest }) => `${hexOf(digest)}  ${name}\n`);
  // The old file goes first: where both have one name, the new text wins.
  return new Map([
    [pin.checksumFile, undefined],
    [checksumPath(pin, facts.version), lines.join('')],
  ]);
}

/** A checksum file that another pin names, too, is not removed. */
const isShared = (pins: ReadonlyMap<string, Pin>, { name }: Pin, path: string): boolean =>
  [...pins.values()].some((pin) => pin.kind === 'release' && pin.name !== name && pin.checksumFile === path);

/** The other pins must come out of the edit as they went in. */
function checkUntouched(before: string, after: string, edited: readonly Due[]): void {
  const names = new Set(edited.map(({ pin }) => pin.name));
  const others = (text: string): string =>
    JSON.stringify([...readPins(text, defaultPinsFile).value.entries].filter(([name]) => !names.has(name)));
  if (others(before) === others(after)) return;
  throw new BumpError('bump/pins-format', 'usage', 'rewriting a pin would have changed another one', {
    where: { file: defaultPinsFile },
    hint: 'nothing was written; please report it',
  });
}

/** duesOf returns what is to be taken; RPMs have no facts of their own. */
const duesOf = (rows: readonly BumpRow[]): readonly Due[] =>
  rows.flatMap(({ pin, verdict }) =>
    verdict.$case === 'due' && pin.kind !== 'rpms' ? [{ pin, resolved: verdict.resolved }] : [],
  );

/**
 * planChanges returns the files by hand that taking these facts touches: pins.yaml, checksums, locks and workflows. What
 * is generated from them comes with the proof. Nothing is due: nothing changes.
 */
export async function planChanges(
  host: Host,
  root: string,
  pins: ReadonlyMap<string, Pin>,
  rows: readonly BumpRow[],
): Promise<Changes> {
  const dues = duesOf(rows);
  if (dues.length === 0) return new Map();
  const before = await host.files.readText(join(root, defaultPinsFile), maxYamlBytes);
  const after = editPins(before, defaultPinsFile, new Map(dues.map((due) => [due.pin.name, editOf(due)])));
  checkUntouched(before, after, dues);
  const changes = new Map<string, string | undefined>([[defaultPinsFile, after]]);
  for (const due of dues)
    for (const [path, text] of await ownFiles(host, root, due))
      if (text !== undefined || !isShared(pins, due.pin, path)) changes.set(path, text);
  return changes;
}
