import { dirname, join } from 'node:path';
import type { Definitions, Pin } from '../../core/index.ts';
import { throwAll, type AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { firstSeenFile, type Changes } from '../bump/index.ts';
import { generatedFiles } from '../generate-files.ts';
import { defaultPinsFile } from '../plan-definitions.ts';
import { refused } from './proposed-changes.ts';

/** `uses: owner/name/path@<commit> # v1.2.3`: what comes before the commit, the commit, and what follows. */
const usesLine =
  /^(\s*(?:- )?uses:\s*["']?([\w.-]+\/[\w.-]+)(?:\/[\w.-]+)*@)[0-9a-f]{40}(["']?)(?: # v?[0-9A-Za-z][\w.+-]{0,127})?$/;

/** onlyUses: nothing but the commit and the version comment of a `uses:` line of these repositories differs. */
export function onlyUses(before: string, after: string, repositories: readonly string[]): boolean {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  return (
    old.length === fresh.length &&
    old.every((line, at) => {
      const next = fresh[at] ?? '';
      if (line === next) return true;
      const [was, is] = [usesLine.exec(line), usesLine.exec(next)];
      const same = was?.[1] === is?.[1] && was?.[3] === is?.[3];
      return was !== null && is !== null && same && repositories.includes(was[2] ?? '');
    })
  );
}

/** Files that belong to one pin beside pins.yaml. */
function isOwn(pin: Pin, path: string): boolean {
  if (pin.kind === 'npm') return [`${pin.lock}/package.json`, `${pin.lock}/package-lock.json`].includes(path);
  if (pin.kind !== 'release') return false;
  const folders = [dirname(pin.checksumFile), `checksums/${pin.name}`];
  return folders.includes(dirname(path)) && /^checksums\/[\w./+-]+\.sha256$/.test(path);
}

/**
 * checkReach holds changes that are about to be pushed against what a bump of these pins may touch: pins.yaml, first
 * sights, the pins' own checksums and locks, what is generated from them, and, of actions, `uses:` lines. They were
 * derived here, not taken over; this is the second lock on the same door. Throws `ci/record`, every fault at once.
 */
export async function checkReach(
  host: Host,
  root: string,
  definitions: Definitions,
  names: readonly string[],
  changes: Changes,
): Promise<void> {
  const pins = names.flatMap((name) => definitions.pins.get(name) ?? []);
  const repositories = pins.flatMap((pin) => (pin.kind === 'action' ? [pin.repository] : []));
  const derived = new Set([
    ...[defaultPinsFile, firstSeenFile],
    ...(await generatedFiles(host, root, definitions)).keys(),
  ]);
  const errors: AppError[] = [];
  for (const [path, text] of changes) {
    if (derived.has(path) || pins.some((pin) => isOwn(pin, path))) continue;
    const isWorkflow = /^\.github\/(?:workflows|actions)\/[\w./-]+\.ya?ml$/.test(path) && !path.includes('..');
    const before = isWorkflow && text !== undefined ? await host.files.readText(join(root, path)) : undefined;
    if (before !== undefined && onlyUses(before, text ?? '', repositories)) continue;
    errors.push(
      refused(`a bump of ${names.join(', ')} does not write this file`, 'pins and what follows from them', path),
    );
  }
  throwAll(errors);
}
