import { join } from 'node:path';
import { throwAll } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { generatedFiles } from '../generate-files.ts';
import { checkPins } from '../pins.ts';
import { loadDefinitions } from '../plan-definitions.ts';
import { BumpError } from './errors.ts';
import { overlay, type Changes } from './overlay.ts';

/** What would be written with the content that it has is left out. */
async function differing({ files }: Host, root: string, changes: Changes): Promise<Changes> {
  const different = new Map<string, string | undefined>();
  for (const [path, text] of changes) {
    const type = (await files.stat(join(root, path)))?.type;
    const same =
      text === undefined ? type === undefined : type === 'file' && (await files.readText(join(root, path))) === text;
    if (!same) different.set(path, text);
  }
  return different;
}

/**
 * proveOnCopy makes the changes on a copy in memory, generates there what is generated from the pins, and returns all
 * files that differ. Throws `bump/inconsistent` for every error that `pins verify` would find there.
 */
export async function proveOnCopy(host: Host, root: string, changes: Changes): Promise<Changes> {
  if (changes.size === 0) return changes;
  const copy = overlay(host, root, changes);
  const definitions = await loadDefinitions(copy, root);
  const generated = await generatedFiles(copy, root, definitions);
  const { findings } = await checkPins(copy, { root }, definitions);
  const errors = findings.filter(({ severity }) => severity === 'error');
  throwAll(
    errors.map(
      ({ message, rule }) =>
        new BumpError('bump/inconsistent', 'usage', `the bump would leave a fault: ${message}`, {
          found: rule,
          hint: 'nothing was written; runner-image pins verify says what is wrong before the bump',
        }),
    ),
  );
  return await differing(host, root, new Map([...changes, ...generated]));
}
