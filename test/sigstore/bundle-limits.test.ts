import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import { bytesOf, signedJson, type BundleJson } from './attach-raw.ts';
import { derOf } from '../../src/lab/sigstore/keys.ts';
import { signerFor, useKit, verifierFor } from './stage.ts';
import { fakeHost } from '../support/fake-host.ts';

const kit = useKit();
const subject = digestOf('an image');

/** What any writer of the registry can make of a genuine bundle. */
async function verdict(change: (bundle: BundleJson) => unknown) {
  const bundle = await signedJson(signerFor(kit(), fakeHost({ now: new Date() })), subject);
  change(bundle);
  const started = performance.now();
  const result = await (await verifierFor(kit())).bundle(bytesOf(bundle), subject);
  return { result, milliseconds: performance.now() - started };
}

type Entry = BundleJson['verificationMaterial']['tlogEntries'][number];
function entryOf({ verificationMaterial }: BundleJson): Entry {
  const [entry] = verificationMaterial.tlogEntries;
  if (entry === undefined) throw new Error('no log entry');
  return entry;
}
const checkpointOf = (bundle: BundleJson) =>
  (entryOf(bundle)['inclusionProof'] as { checkpoint: { envelope: string } }).checkpoint;

/** A line of a checkpoint that claims to be the log's own. */
function line(name: string): string {
  const hint = createHash('sha256').update(derOf(kit().rekor.keys.publicKey)).digest().subarray(0, 4);
  return `— ${name} ${Buffer.concat([hint, Buffer.from('signature')]).toString('base64')}\n`;
}

describe('a bundle with more than a signer writes', () => {
  test('within the limits it passes', async () => {
    expect((await verdict(() => undefined)).result).toMatchObject({ $case: 'verified' });
  });

  test.each<[string, (bundle: BundleJson) => unknown, string]>([
    [
      'a second log entry',
      (bundle) => bundle.verificationMaterial.tlogEntries.push(entryOf(bundle)),
      '2 log entries, at most 1 is read',
    ],
    [
      'five hundred log entries of different times',
      (bundle) => {
        const one = entryOf(bundle);
        bundle.verificationMaterial.tlogEntries = Array.from({ length: 500 }, (_, at) => ({
          ...one,
          canonicalizedBody: 'e30=',
          inclusionProof: { checkpoint: { envelope: 'x' } },
          integratedTime: String(1_700_000_000 + at),
        }));
      },
      '500 log entries, at most 1 is read',
    ],
    [
      'five timestamps',
      ({ verificationMaterial: { timestampVerificationData: data } }) =>
        (data.rfc3161Timestamps = Array.from(
          { length: 5 },
          () => data.rfc3161Timestamps[0] ?? { signedTimestamp: '' },
        )),
      '5 timestamps, at most 4 are read',
    ],
    [
      'a certificate of 18 kB',
      ({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes: 'A'.repeat(24_000) }),
      'a certificate or timestamp of 18000 bytes, at most 16384 are read',
    ],
    [
      'a timestamp of 18 kB',
      ({ verificationMaterial: { timestampVerificationData: data } }) =>
        (data.rfc3161Timestamps = [{ signedTimestamp: 'A'.repeat(24_000) }]),
      'a certificate or timestamp of 18000 bytes, at most 16384 are read',
    ],
    [
      'ten thousand lists',
      (bundle) => Object.assign(bundle, { more: Array.from({ length: 10_000 }, () => []) }),
      'values, at most 10000 are read',
    ],
    [
      'a checkpoint of many lines',
      (bundle) => (checkpointOf(bundle).envelope += line('127.0.0.1').repeat(1000)),
      'a checkpoint of ',
    ],
  ])('%s is refused before it is verified', async (_name, change, detail) => {
    const { result } = await verdict(change);
    expect(result).toMatchObject({ $case: 'refused', code: 'too-large' });
    expect(result).toMatchObject({ detail: expect.stringContaining(detail) as string });
  });

  test('megabytes of empty objects are not even parsed', async () => {
    const bytes = Buffer.from(`{"tlogEntries":[${'{},'.repeat(2_700_000)}{}]}`);
    const started = performance.now();
    const before = process.memoryUsage.rss();
    const result = await (await verifierFor(kit())).bundle(bytes, subject);
    expect(result).toMatchObject({ code: 'too-large', detail: expect.stringContaining('values') as string });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
  });

  test.each<[string, (bundle: BundleJson) => unknown, string]>([
    [
      'a log index of a million digits',
      (bundle) => (entryOf(bundle).logIndex = '9'.repeat(1_000_000)),
      'a number of more than 20 digits',
    ],
    [
      'a proof of a thousand hashes',
      (bundle) =>
        ((entryOf(bundle)['inclusionProof'] as { hashes: string[] }).hashes = Array.from(
          { length: 1000 },
          () => 'AA==',
        )),
      'a proof of 1000 hashes',
    ],
    [
      'a log entry of a megabyte',
      (bundle) => (entryOf(bundle).canonicalizedBody = Buffer.alloc(1024 * 1024).toString('base64')),
      'a log entry of 1048576 bytes',
    ],
    [
      'a certificate of nested sequences',
      ({ verificationMaterial: { certificate } }) => {
        if (certificate !== undefined) certificate.rawBytes = Buffer.alloc(100_000, 0x30).toString('base64');
      },
      'a certificate or timestamp of 100000 bytes',
    ],
    [
      'a timestamp of nested sequences',
      ({ verificationMaterial: { timestampVerificationData: data } }) =>
        (data.rfc3161Timestamps = [{ signedTimestamp: Buffer.alloc(100_000, 0x30).toString('base64') }]),
      'a certificate or timestamp of 100000 bytes',
    ],
  ])('%s is refused before it is read', async (_name, change, detail) => {
    const { result, milliseconds } = await verdict(change);
    expect(result).toMatchObject({ code: 'too-large', detail: expect.stringContaining(detail) as string });
    expect(milliseconds).toBeLessThan(5_000);
  });

  test('a checkpoint whose name would be a costly pattern is refused before it is compared', async () => {
    const { result, milliseconds } = await verdict((bundle) => {
      const checkpoint = checkpointOf(bundle);
      const [note = ''] = checkpoint.envelope.split('\n\n');
      checkpoint.envelope = `${note}\n\n${line('(([^!]+)+)+!')}`;
    });
    expect(result).toMatchObject({
      code: 'malformed-bundle',
      detail: expect.stringContaining('no host name') as string,
    });
    expect(milliseconds).toBeLessThan(5_000);
  });
});
