import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatImageRef } from '../../src/core/index.ts';
import { start, type Running } from '../flows/project.ts';
import { attachRaw, bytesOf, signedJson, type BundleJson } from '../sigstore/attach-raw.ts';
import { policyText } from '../sigstore/policy-text.ts';
import { signerFor, stage, useKit, type Stage } from '../sigstore/stage.ts';

const kit = useKit();
let directory: string;
let here: Stage;

/** What the process used, as it ends. Its VmHWM is its own; ru_maxrss would begin with what the parent has. */
const atExit = `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const [, kilobytes] = /VmHWM:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  const { user, system } = process.cpuUsage();
  writeFileSync(process.env.USED_FILE, JSON.stringify({ megabytes: kilobytes * 1.024e-3, seconds: (user + system) / 1e6 }));
});`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'worst-'));
  here = await stage(kit());
  await here.sign();
  await writeFile(join(directory, 'policy.yaml'), policyText({ require: ['signature'] }));
  await writeFile(join(directory, 'root.json'), JSON.stringify(kit().trustedRoot));
  await writeFile(join(directory, 'at-exit.mjs'), atExit);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function verify(): Running {
  const trust = ['--policy', join(directory, 'policy.yaml'), '--trusted-root', join(directory, 'root.json')];
  return start(['verify', formatImageRef(here.ref), ...trust, '--plain-http', here.server.host], {
    NODE_OPTIONS: `--import=${join(directory, 'at-exit.mjs')}`,
    USED_FILE: join(directory, 'used.json'),
  });
}

const size = 7_900_000;
const filled = (bundle: BundleJson, open: string, piece: string, close = ''): Buffer => {
  const text = JSON.stringify(bundle).slice(0, -1);
  const count = Math.floor((size - text.length) / (piece.length + close.length));
  return Buffer.from(`${text},"x":${open}${piece.repeat(count)}${close === '' ? '0]' : close.repeat(count)}}`);
};

describe('verify, beside 16 bundles of 7.9 MB', () => {
  test.each<[string, (bundle: BundleJson) => Buffer]>([
    [
      'with a payload of that size',
      (bundle) => {
        bundle.dsseEnvelope.payload = 'A'.repeat(size - 8_000);
        return bytesOf(bundle);
      },
    ],
    [
      'with a payload of that size, beside a letter that makes two bytes of each',
      (bundle) => {
        bundle.dsseEnvelope.payload = 'A'.repeat(size - 8_000);
        return bytesOf({ ...bundle, note: '\u0416' });
      },
    ],
    ['with lists within lists', (bundle) => filled(bundle, '', '[', ']')],
    ['with empty objects', (bundle) => filled(bundle, '[', '{},')],
    [
      'with a timestamp of empty values',
      (bundle) => {
        const values = Buffer.alloc(5_800_000, Buffer.from([5, 0]));
        const header = Buffer.from([
          0x30,
          0x83,
          values.length >> 16,
          (values.length >> 8) & 0xff,
          values.length & 0xff,
        ]);
        const signedTimestamp = Buffer.concat([header, values]).toString('base64');
        bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps = [{ signedTimestamp }];
        return bytesOf(bundle);
      },
    ],
  ])('%s, takes less than 250 MB and 5 s of a processor', async (_name, change) => {
    const bytes = change(await signedJson(signerFor(kit(), here.host), here.ref.digest));
    // Blanks after it make each another blob.
    for (let at = 0; at < 16; at += 1)
      await attachRaw(here, here.image.root, Buffer.concat([bytes, Buffer.alloc(at, ' ')]));
    const { code, stdout, stderr } = await verify().ended;
    expect(code, stderr).toBe(0);
    expect(stdout.match(/^ +refused /gm)).toHaveLength(16);
    const used = JSON.parse(await readFile(join(directory, 'used.json'), 'utf8')) as Record<string, number>;
    expect(used['megabytes']).toBeLessThan(250);
    expect(used['seconds']).toBeLessThan(5);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle of verify ends it: no verdict, exit 4', async (signal) => {
  const digest = await attachRaw(here, here.image.root, Buffer.from('{}'));
  const reached = new Promise<void>((resolve) => {
    // The registry never answers: verify waits for what is attached.
    here.misbehave((request) => {
      const held = request.url?.endsWith(digest) === true;
      if (held) resolve();
      return held;
    });
  });
  const { child, ended } = verify();
  await reached;
  child.kill(signal);
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toContain(`${signal}: stopping and cleaning up`);
  expect(stderr).toContain('cli/interrupted');
});
