import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDaemon } from '../daemons.ts';
import { host } from '../host.ts';
import { labPaths, labSource } from '../paths.ts';

/** Sigstore is what serve.ts writes when it answers: where it is, and the files that a verifier trusts it by. */
export interface Sigstore {
  readonly url: string;
  readonly pid: number;
  readonly trustedRoot: string;
  readonly ca: string;
  readonly rekor: string;
  readonly ct: string;
  readonly issuer: string;
  readonly identity: string;
  /** Who ran the workflow, as its certificate says. */
  readonly caller: { readonly repository: string; readonly ref: string; readonly trigger: string };
  /** What a CI job with `id-token: write` finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Returns what an earlier start left in the lab, if it still issues tokens. */
async function running(file: string): Promise<Sigstore | undefined> {
  try {
    const state = JSON.parse(await host.files.readText(file)) as Sigstore;
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = '' } = state.environment;
    const answer = await fetch(`${url}&audience=sigstore`, {
      headers: { authorization: `bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    return answer.ok ? state : undefined;
  } catch {
    return undefined;
  }
}

/**
 * startSigstore returns the lab's Fulcio, Rekor, timestamp authority and token issuer: on loopback, with keys that only
 * this lab trusts. They stay up as long as the lab, so that what was signed once can be verified again later.
 * Throws `lab/daemon` when they do not come up.
 */
export async function startSigstore(): Promise<Sigstore> {
  const directory = join(labPaths().lab, 'sigstore');
  const file = join(directory, 'kit.json');
  const known = await running(file);
  if (known !== undefined) return known;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const args = [join(labSource, 'sigstore/serve.ts'), directory];
  const ready = async () => (await running(file)) !== undefined;
  await startDaemon('sigstore', process.execPath, args, join(directory, 'log'), ready);
  return JSON.parse(await host.files.readText(file)) as Sigstore;
}
