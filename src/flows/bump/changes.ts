import { join } from 'node:path';
import { AppError, AppErrors } from '../../errors/index.ts';
import { hexOf, type Definitions } from '../../core/index.ts';
import { maxYamlBytes, readPins } from '../../config/index.ts';
import type { Host } from '../../host/index.ts';
import type { BumpablePin, Resolved } from '../../pins/bump/index.ts';
import { generatedFiles } from '../generate-files.ts';
import { checkPins } from '../pins.ts';
import { defaultPinsFile } from '../plan-definitions.ts';
import { actionChanges } from './action-files.ts';
import { editPins, type PinEdit } from './edit-pins.ts';
import { overlay, type Changes } from './overlay.ts';

export interface Due {
  readonly pin: BumpablePin;
  readonly resolved: Resolved;
}

/** checksumPath is the old file's name with the new version in it. */
function checksumPath(pin: BumpablePin & { kind: 'release' }, version: string): string {
  return pin.checksumFile.includes(pin.version)
    ? pin.checksumFile.replaceAll(pin.version, version)
    : `checksums/${pin.name}/${version}.sha256`;
}

function editOf({ pin, resolved }: Due): PinEdit {
  const { facts, evidence } = resolved;
  switch (facts.kind) {
    case 'image':
      return {
        set: { version: facts.version, digest: facts.digest },
        platforms: facts.platforms,
        evidence,
        found: (fact) => fact.includes('per-platform'),
      };
    case 'release': {
      const file = pin.kind === 'release' ? checksumPath(pin, facts.version) : '';
      return { set: { version: facts.version, checksumFile: file }, evidence };
    }
    case 'npm':
      return { set: { version: facts.version, integrity: facts.integrity }, evidence };
    case 'python':
      return { set: { version: facts.version }, evidence };
    case 'git': {
      const { version, commit, tree, digest } = facts;
      return { set: { version, commit, tree, digest }, evidence };
    }
    case 'action':
      return { set: { version: facts.version, commit: facts.commit }, evidence };
  }
}

/** ownFiles are the files beside pins.yaml that belong to one pin. */
async function ownFiles(host: Host, root: string, { pin, resolved }: Due): Promise<Changes> {
  const { facts } = resolved;
  const changes = new Map<string, string | undefined>();
  if (facts.kind === 'release' && pin.kind === 'release') {
    const file = checksumPath(pin, facts.version);
    // The old file goes first: where both have one name, the new text wins.
    changes.set(pin.checksumFile, undefined);
    const lines = facts.assets.map(({ name, digest }) => `${hexOf(digest)}  ${name}\n`);
    changes.set(file, lines.join(''));
  }
  if (facts.kind === 'npm' && pin.kind === 'npm')
    for (const [name, text] of Object.entries(facts.files)) changes.set(`${pin.lock}/${name}`, text);
  if (facts.kind === 'action' && pin.kind === 'action')
    for (const [path, text] of await actionChanges(host, root, pin, facts)) changes.set(path, text);
  return changes;
}

/** The other pins must come out of the edit as they went in. */
function checkUntouched(before: string, after: string, edited: ReadonlySet<string>): void {
  const strip = (text: string): string =>
    JSON.stringify([...readPins(text, defaultPinsFile).value.entries].filter(([name]) => !edited.has(name)));
  if (strip(before) === strip(after)) return;
  throw new AppError('bump/pins-format', 'usage', 'rewriting a pin would have changed another one', {
    where: { file: defaultPinsFile },
    hint: 'nothing was written; please report it',
  });
}

async function generated(host: Host, root: string, changes: Map<string, string | undefined>): Promise<void> {
  const staged = overlay(host, root, changes);
  for (const [path, text] of await generatedFiles(staged, root)) changes.set(path, text);
}

async function checkOutcome(host: Host, root: string, changes: Changes): Promise<void> {
  const { findings } = await checkPins(overlay(host, root, changes), { root });
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new AppErrors(
    errors.map(
      ({ message, rule }) =>
        new AppError('bump/inconsistent', 'usage', `the bump would leave a fault: ${message}`, {
          found: rule,
          hint: 'nothing was written; runner-image pins verify says what is wrong before the bump',
        }),
    ),
  );
}

/** isSame leaves out what would be written with the content that it has. */
async function isSame(host: Host, root: string, path: string, text: string | undefined): Promise<boolean> {
  const stat = await host.files.stat(join(root, path));
  if (text === undefined || stat === undefined) return text === undefined && stat === undefined;
  return stat.type === 'file' && (await host.files.readText(join(root, path))) === text;
}

/**
 * computeChanges gives every file that taking these facts touches: pins.yaml, checksums, locks,
 * workflows, and all that is generated from them, proved consistent before anything is written.
 */
export async function computeChanges(
  host: Host,
  root: string,
  definitions: Definitions,
  dues: readonly Due[],
): Promise<Changes> {
  const changes = new Map<string, string | undefined>();
  if (dues.length > 0) {
    const before = await host.files.readText(join(root, defaultPinsFile), maxYamlBytes);
    const after = editPins(before, defaultPinsFile, new Map(dues.map((due) => [due.pin.name, editOf(due)])));
    checkUntouched(before, after, new Set(dues.map(({ pin }) => pin.name)));
    changes.set(defaultPinsFile, after);
    for (const due of dues)
      for (const [path, text] of await ownFiles(host, root, due)) {
        const shared = [...definitions.pins.values()].some(
          (pin) => pin.kind === 'release' && pin.name !== due.pin.name && pin.checksumFile === path,
        );
        if (text !== undefined || !shared) changes.set(path, text);
      }
    await generated(host, root, changes);
    await checkOutcome(host, root, changes);
  }
  const same = await Promise.all([...changes].map(([path, text]) => isSame(host, root, path, text)));
  return new Map([...changes].filter((_, at) => same[at] !== true));
}
