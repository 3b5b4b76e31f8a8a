import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, formatImageRef, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import type { BlobSource } from '../../src/registry/index.ts';
import { imageSignature, signStatement } from '../../src/sigstore/index.ts';
import { commandsIn, hostile, raw } from '../errors/hostile.ts';
import { start, type Ran } from '../flows/project.ts';
import { attachRaw, bytesOf, signedJson } from '../sigstore/attach-raw.ts';
import { policyText } from '../sigstore/policy-text.ts';
import { signerFor, stage, useKit, type Stage } from '../sigstore/stage.ts';

const kit = useKit();
let directory: string;
let here: Stage;
let root: Descriptor;

/** The image beneath an index that says anything of its platforms. */
async function pushIndex(platforms: readonly string[]): Promise<Descriptor> {
  const manifests = platforms.map((os) => ({ ...here.image.amd64, platform: { os, architecture: 'amd64' } }));
  const bytes = bytesOf({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const descriptor = { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length };
  const source: BlobSource = {
    open: (...given) => here.image.source.open(...given),
    manifest: async (one) => (one.digest === descriptor.digest ? bytes : await here.image.source.manifest(one)),
  };
  await here.registry.push(here.repo, descriptor, source);
  return descriptor;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  here = await stage(kit());
  const said = hostile.map((text) => text.slice(0, 100_000));
  root = await pushIndex(['\u001b[2J', 'x\nREF is proven', '::error::platform', ...said.slice(0, 10)]);
  const signer = signerFor(kit(), here.host);
  for (const text of said) {
    const typed = await signedJson(signer, root.digest);
    typed.dsseEnvelope.payloadType = text;
    await attachRaw(here, root, bytesOf(typed), text.toWellFormed());
    const logged = await signedJson(signer, root.digest);
    Object.assign(logged.verificationMaterial.tlogEntries[0] ?? {}, { kindVersion: { kind: text, version: text } });
    await attachRaw(here, root, bytesOf(logged));
    await attachRaw(here, root, Buffer.from(text));
  }
  const san = signerFor(kit(), here.host, { job_workflow_ref: 'o/r/.github/workflows/x.yml@a\n::error::san\u001b[2J' });
  await attachRaw(here, root, await signStatement(here.host, san, imageSignature(root.digest)));
  await writeFile(join(directory, 'policy.yaml'), policyText());
  await writeFile(join(directory, 'root.json'), JSON.stringify(kit().trustedRoot));
}, 120_000);
afterEach(() => rm(directory, { recursive: true, force: true }));

const verify = (more: readonly string[], env: Record<string, string>): Promise<Ran> => {
  const ref = formatImageRef({ ...here.repo, digest: root.digest });
  const trust = ['--policy', join(directory, 'policy.yaml'), '--trusted-root', join(directory, 'root.json')];
  return start(['verify', ref, ...trust, '--plain-http', here.server.host, ...more], env).ended;
};

describe('verifying an image with hostile attachments', () => {
  test.each([
    ['on GitHub', [], { GITHUB_ACTIONS: 'true', CI: 'true' }],
    ['as JSON', ['--json'], { GITHUB_ACTIONS: 'true' }],
    ['elsewhere', [], { GITHUB_ACTIONS: '' }],
  ])('%s prints nothing raw, no command, no line of theirs, and no megabytes', async (_where, more, env) => {
    const { code, stdout, stderr } = await verify(more, env);
    expect(code, stderr).toBe(1);
    for (const text of [stdout, stderr]) {
      expect(text).not.toMatch(raw);
      expect(commandsIn(text)).toEqual([]);
      expect(text.length).toBeLessThan(200_000);
    }
    const lines = stdout.split('\n');
    expect(lines.filter((line) => /\bis proven/.test(line) && !/refused|LACKS|"/.test(line))).toEqual([]);
    if (more.length === 0) {
      expect(lines[0]).toMatch(/ is NOT proven$/);
      for (const line of lines.slice(1, -1))
        expect(line).toMatch(/^(?:LACKS {3}| {4}(?:missing|refused|and \d+ more) )/);
    } else expect(JSON.parse(stdout)).toMatchObject({ ok: false });
  });

  test('a registry whose error texts are hostile', async () => {
    here.misbehave((_request, response) => {
      const message = hostile.map((text) => text.slice(0, 20_000)).join('\n');
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'DENIED', message, detail: message }] }));
      return true;
    });
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await verify(more, { GITHUB_ACTIONS: 'true' });
      expect(code).toBeGreaterThan(0);
      for (const text of [stdout, stderr]) {
        expect(text).not.toMatch(raw);
        expect(commandsIn(text)).toEqual([]);
        expect(text.length).toBeLessThan(50_000);
      }
      for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^(?:error: | {2})/);
    }
  });
});
