import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { labPaths } from '../../test/lab/paths.ts';
import { background, here, root, stop, tell } from './run.ts';

/** What the offline Sigstore writes when it answers (test/support/sigstore/serve.ts). */
export interface Kit {
  readonly url: string;
  readonly trustedRoot: string;
  readonly ca: string;
  readonly rekor: string;
  readonly ct: string;
  readonly issuer: string;
  readonly identity: string;
  readonly environment: Readonly<Record<string, string>>;
}

const patience = 60_000;

/** A Sigstore of its own on loopback, with keys that nobody else trusts. */
export async function startKit(): Promise<{ readonly kit: Kit; readonly end: () => Promise<void> }> {
  const directory = join(labPaths().lab, 'sigstore');
  const state = join(directory, 'kit.json');
  rmSync(directory, { recursive: true, force: true });
  const program = 'test/support/sigstore/serve.ts';
  tell(`\n# Start an offline Sigstore: Fulcio, Rekor, timestamp authority, issuer of CI tokens\n`);
  tell(`$ npx tsx ${program} ${here(directory)} &\n`);
  const tsx = pathToFileURL(createRequire(join(root, 'package.json')).resolve('tsx')).href;
  const { end, exited } = background({ program: process.execPath, args: ['--import', tsx, program, directory] });
  const until = Date.now() + patience;
  while (!existsSync(state)) {
    const tick = new Promise<'tick'>((next) => setTimeout(next, 50, 'tick'));
    if ((await Promise.race([exited, tick])) === 'tick' && Date.now() < until) continue;
    tell('\nThe demo stopped: the offline Sigstore did not start.\n');
    stop(4);
  }
  return { kit: JSON.parse(readFileSync(state, 'utf8')) as Kit, end };
}
