/**
 * The offline Sigstore as a process: `node serve.ts DIRECTORY [PORT]` writes its files there and serves until it is ended,
 * or until its directory is gone: it lives in the lab's, and ends with it.
 */
import { watchFile } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { githubIssuer } from './identity.ts';
import { startKit } from './kit.ts';
import type { Sigstore } from './start.ts';

const [directory = '.', port = '0'] = process.argv.slice(2);
const target = resolve(directory);
const kit = await startKit({ port: Number(port) });
const { trustedRoot, ca, rekor, ct } = await kit.write(target);
const state: Sigstore = {
  url: kit.url,
  pid: process.pid,
  trustedRoot,
  ca,
  rekor,
  ct,
  issuer: githubIssuer,
  identity: 'https://github.com/o/r/.github/workflows/build.yml@refs/heads/main',
  caller: { repository: 'https://github.com/o/r', ref: 'refs/heads/main', trigger: 'push' },
  environment: kit.ciEnvironment(),
};
const stop = (): void => {
  void kit.close().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// Written last, and whole: who waits for it finds services that answer.
const file = join(target, 'kit.json');
await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
await rename(`${file}.new`, file);
watchFile(file, { interval: 500 }, ({ nlink }) => {
  if (nlink === 0) stop();
});
process.stdout.write(`${kit.url}\n`);
