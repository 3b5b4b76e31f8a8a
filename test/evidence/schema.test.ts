import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/index.ts';
import {
  beginEvidence,
  buildBy,
  evidenceFile,
  loadEvidence,
  withAttachments,
  withPublication,
  withSboms,
  writeEvidence,
} from '../../src/evidence/index.ts';
import { evidenceSchema } from '../../src/evidence/schema.ts';
import { fakeHost } from '../support/fake-host.ts';
import { testPlan } from '../support/sigstore/plan.ts';
import { evidence } from './evidence.ts';

const amd64 = { platform: 'linux/amd64', manifest: digestOf('amd64') } as const;
const engine = (product: string) => ({ ...amd64, engine: { product, version: '1' } });
const at = '2026-01-02T03:04:05Z';
const run = { ...amd64, at, errors: 0, checks: [] };
const accepts = (changes: object): boolean => evidenceSchema.safeParse({ ...evidence, ...changes }).success;

describe('evidence', () => {
  test.each<[string, object]>([
    ['nothing seen yet', {}],
    ['an engine of 120 characters', { builds: [engine('x'.repeat(120))] }],
    ['one run for each platform', { runs: [run, { ...run, platform: 'linux/arm64' }] }],
  ])('with %s is accepted', (_name, changes) => {
    expect(accepts(changes)).toBe(true);
  });

  test.each<[string, object]>([
    ['a member that nobody knows', { more: 1 }],
    ['another version', { version: 1 }],
    ['no digest', { digest: undefined }],
    ['a digest in capitals', { digest: digestOf('x').toUpperCase() }],
    ['a digest that is no text', { digest: 1 }],
    ['an engine of 121 characters', { builds: [engine('x'.repeat(121))] }],
    ['an engine without a name', { builds: [engine('')] }],
    ['an engine of two lines', { builds: [engine('a\nb')] }],
    ['an engine with an escape', { builds: [engine('a\u001b[1m')] }],
    ['a platform twice', { platforms: [amd64, amd64] }],
    ['a run twice', { runs: [run, run] }],
    ['a platform that is not built', { platforms: [{ ...amd64, platform: 'linux/s390x' }] }],
    ['fewer errors than none', { runs: [{ ...run, errors: -1 }] }],
    ['half an error', { runs: [{ ...run, errors: 0.5 }] }],
    ['a run without a time', { runs: [{ ...run, at: 'yesterday' }] }],
    ['a check that is neither', { runs: [{ ...run, checks: [{ check: 'a', state: 'skipped' }] }] }],
  ])('with %s is refused', (_name, changes) => {
    expect(accepts(changes)).toBe(false);
  });

  test.each([
    ['a b', 'a b'],
    ['a\u001b[1mé\n', 'a?[1m??'],
    ['x'.repeat(121), 'x'.repeat(120)],
    ['', 'unknown'],
  ])('keeps of the engine %j what a record may hold', (said, kept) => {
    const build = buildBy({ product: said, version: said }, 'linux/amd64', digestOf('amd64'));
    expect(build.engine).toEqual({ product: kept, version: kept });
    expect(accepts({ builds: [build] })).toBe(true);
  });
});

describe('a later step', () => {
  const now = new Date(at);
  test('of a place replaces what was known of it', () => {
    const tag = (tag: string) => ({ reference: 'quay.example/a', tags: [{ tag, after: digestOf('an index') }] });
    const twice = withPublication(withPublication(evidence, tag('1'), now), tag('2'), now);
    expect(twice.publications.map(({ tags }) => tags.map((one) => one.tag))).toEqual([['2']]);
  });

  test('of another place is added', () => {
    const there = (reference: string) => ({ reference, tags: [] });
    const both = withPublication(withPublication(evidence, there('a'), now), there('b'), now);
    expect(both.publications.map(({ reference }) => reference)).toEqual(['a', 'b']);
  });

  test('counts an attachment once, and keeps the others', () => {
    const one = (name: string) => ({
      node: 'index',
      subject: digestOf('i'),
      predicateType: 'p',
      digest: digestOf(name),
    });
    const all = withAttachments(withAttachments(evidence, [one('a'), one('b')]), [one('b'), one('c')]);
    expect(all.attachments.map(({ digest }) => digest)).toEqual(['a', 'b', 'c'].map((name) => digestOf(name)));
  });

  test('has one SBOM for each platform, the newest', () => {
    const sbom = (components: number) => ({ ...amd64, digest: digestOf('s'), components });
    expect(withSboms(withSboms(evidence, [sbom(1)]), [sbom(2)]).sboms).toEqual([sbom(2)]);
  });
});

describe('a file of evidence', () => {
  const host = fakeHost();
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'evidence-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const filed = async (bytes: number) => {
    const file = join(directory, 'e.json');
    await writeFile(file, JSON.stringify(evidence).padEnd(bytes));
    return await loadEvidence(host, file);
  };

  test('of 4 MiB is read', async () => {
    expect((await filed(4 * 1024 * 1024)).evidence).toEqual(evidence);
  });

  test('of a byte more is refused', async () => {
    await expect(filed(4 * 1024 * 1024 + 1)).rejects.toMatchObject({ code: 'evidence/malformed' });
  });

  test('is begun anew for another index: what was seen of one does not speak for the next', async () => {
    await writeEvidence(host, { file: evidenceFile(directory), evidence: { ...evidence, signedWithoutGate: 'once' } });
    const index = { directory, digest: digestOf('another index'), platforms: [] };
    const begun = await beginEvidence(host, index, testPlan, { builds: [] });
    expect(begun.evidence).not.toHaveProperty('signedWithoutGate');
  });

  test('keeps what was seen of the same index', async () => {
    await writeEvidence(host, { file: evidenceFile(directory), evidence: { ...evidence, signedWithoutGate: 'once' } });
    const index = { directory, digest: evidence.digest, platforms: evidence.platforms };
    const begun = await beginEvidence(host, index, testPlan, { builds: [] });
    expect(begun.evidence.signedWithoutGate).toBe('once');
  });
});
