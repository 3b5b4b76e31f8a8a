import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { labPaths } from '../../src/lab/paths.ts';
import { here, service, stop, tell } from './run.ts';

/** What the offline Sigstore writes when it answers (src/lab/sigstore/serve.ts). */
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

/** What an earlier demo left in the lab, if it still gives out tokens. */
async function running(state: string): Promise<Kit | undefined> {
  try {
    const kit = JSON.parse(readFileSync(state, 'utf8')) as Kit;
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = '' } = kit.environment;
    const answer = await fetch(`${url}&audience=sigstore`, {
      headers: { authorization: `bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    return answer.ok ? kit : undefined;
  } catch {
    return undefined;
  }
}

/**
 * startKit gives the lab's Sigstore: on loopback, with keys that nobody else trusts. It stays up as long as the lab,
 * so that a second demo signs with the same keys, and finds what the first one signed still proven.
 */
export async function startKit(): Promise<Kit> {
  const directory = join(labPaths().lab, 'sigstore');
  const state = join(directory, 'kit.json');
  const known = await running(state);
  if (known !== undefined) {
    tell(`\n# The lab's offline Sigstore is still up: ${known.url}\n`);
    return known;
  }
  rmSync(directory, { recursive: true, force: true });
  const program = 'src/lab/sigstore/serve.ts';
  tell(`\n# Start an offline Sigstore: Fulcio, Rekor, timestamp authority, issuer of CI tokens\n`);
  tell(`$ node ${program} ${here(directory)} &\n`);
  const ended = service({ program: process.execPath, args: [program, directory] });
  const until = Date.now() + patience;
  while (!existsSync(state)) {
    const tick = new Promise<'tick'>((next) => setTimeout(next, 50, 'tick'));
    if ((await Promise.race([ended, tick])) === 'tick' && Date.now() < until) continue;
    tell('\nThe demo stopped: the offline Sigstore did not start.\n');
    stop(4);
  }
  return JSON.parse(readFileSync(state, 'utf8')) as Kit;
}
