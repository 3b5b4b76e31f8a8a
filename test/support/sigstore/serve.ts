/** The offline Sigstore as a process: `tsx serve.ts DIRECTORY [PORT]` writes its files there and serves until it is ended. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { githubIssuer } from './identity.ts';
import { startKit } from './kit.ts';

const [directory = '.', port = '0'] = process.argv.slice(2);
const target = resolve(directory);
const kit = await startKit({ port: Number(port) });
const { trustedRoot, ca, rekor, ct } = await kit.write(target);
const state = {
  url: kit.url,
  pid: process.pid,
  trustedRoot,
  ca,
  rekor,
  ct,
  issuer: githubIssuer,
  identity: 'https://github.com/o/r/.github/workflows/build.yml@refs/heads/main',
  /** What a CI job with `id-token: write` finds in its environment. */
  environment: kit.ciEnvironment(),
};
// Written last: whoever waits for it finds a kit that answers.
await writeFile(join(target, 'kit.json'), `${JSON.stringify(state, null, 2)}\n`);
process.stdout.write(`${kit.url}\n`);
const stop = (): void => {
  void kit.close().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
