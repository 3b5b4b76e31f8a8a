import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { githubIssuer } from '../../src/lab/sigstore/identity.ts';
import { imageSignature, signStatement } from '../../src/sigstore/index.ts';
import { start, type Ran } from '../flows/project.ts';
import { attachRaw } from '../sigstore/attach-raw.ts';
import { signerFor, stage, useKit, workflow, type Stage } from '../sigstore/stage.ts';
import { stepsOf, workflowFiles } from './files.ts';

const kit = useKit();
let directory: string;
let here: Stage;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'watch-'));
  const signer = { issuer: githubIssuer, identities: [workflow], repository: 'https://github.com/o/r' };
  const policy = { version: 1, signer: { ...signer, ref: 'refs/heads/main', trigger: 'push' } };
  await writeFile(join(directory, 'policy.yaml'), JSON.stringify(policy));
  await writeFile(join(directory, 'summary.md'), '');
  here = await stage(kit());
  const { bytes } = await here.registry.manifest(here.ref);
  await here.registry.put(here.repo, bytes, here.image.root.mediaType, 'stable');
  await attachRaw(here, here.image.root, await sign({}));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sign = (changes: Readonly<Record<string, string>>): Promise<Buffer> =>
  signStatement(here.host, signerFor(kit(), here.host, changes), imageSignature(here.image.root.digest));

/** The step of watch-identity.yml, with our own policy, repository and log. */
function watch(rekor: string): Promise<Ran> {
  const file = workflowFiles.find((one) => one.file.endsWith('/watch-identity.yml'));
  const script = (file === undefined ? [] : stepsOf(file)).flatMap(({ run }) => run ?? [])[0] ?? '';
  const [node, program, ...words] = script.trim().split(' ');
  expect([node, program]).toEqual(['node', 'bin/runner-image.mjs']);
  const args = words.map((word) => (word.endsWith('.yaml') ? join(directory, 'policy.yaml') : word));
  const repo = `${here.repo.registry}/${here.repo.repository}`;
  const ours = ['--published', repo, '--plain-http', here.repo.registry, '--rekor', rekor, '--dry-run'];
  return start([...args, ...ours], { GITHUB_STEP_SUMMARY: join(directory, 'summary.md') }).ended;
}

it('the daily step is quiet, finds what is not ours, and is red without a network', async () => {
  const quiet = await watch(kit().url);
  expect(quiet.code, quiet.stderr).toBe(0);
  expect(quiet.stdout).toMatch(/^1 log entries under our identity, 1 of them published; not watched: Rekor v2/);
  await sign({ repository: 'thief/r' });
  const found = await watch(kit().url);
  expect(found.code, found.stderr).toBe(1);
  expect(found.stdout).toMatch(/^watch\/foreign-caller .*thief/);
  const lost = await watch('http://127.0.0.1:1');
  expect(lost.code, lost.stderr).toBe(3);
  expect(lost.stdout).toMatch(/^watch\/could-not-tell /);
  expect(await readFile(join(directory, 'summary.md'), 'utf8')).toMatch(/could-not-tell/);
});
