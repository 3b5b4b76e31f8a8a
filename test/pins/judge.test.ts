import { describe, expect, test } from 'vitest';
import {
  parseDigest,
  type BumpablePin,
  type PinEvidence,
  type Facts,
  type GitPin,
  type ImagePin,
  type Presence,
} from '../../src/core/index.ts';
import { conclude, dependenciesUntil, isNews, rank, refuseFacts, type HeldReason } from '../../src/pins/bump/index.ts';

const [a, b] = ['a', 'b'].map((text) => parseDigest(`sha256:${text.repeat(64)}`)) as [
  ImagePin['digest'],
  ImagePin['digest'],
];
const seen: PinEvidence = { kind: 'registry-digest', source: 'x' };
const both = { 'linux/amd64': a, 'linux/arm64': a };
const base = { name: 'x', policy: {}, evidence: [seen], absent: [], repository: 'ghcr.io/a/b' };
const image: ImagePin = { ...base, kind: 'image', version: '1.0.0', digest: a, platforms: both };
const git: GitPin = { ...base, kind: 'git', version: '2026-01-01', commit: 'c', path: 'p', tree: 't', digest: a };
const there: Presence = { $case: 'there' };
const offered = (...versions: readonly string[]) => versions.map((version) => ({ version, target: version }));

describe('what is wanted most', () => {
  const moved: Presence = { $case: 'moved', candidate: { version: '10', target: '10', identity: b } };
  const floating = { ...image, version: '10' };
  test.each([
    ['versions in their own order, newest first', image, there, ['1.1.0', '2.0.0'], undefined, ['2.0.0', '1.1.0']],
    ['the moved tag itself comes after what is newer', floating, moved, ['11'], undefined, ['11', '10']],
    ['a wish for one version leaves the moved tag out', floating, moved, ['11'], '11', ['11']],
    ['commits of a branch as they come', git, there, ['2025-01-01'], undefined, ['2025-01-01']],
    ['but for what is denied', { ...git, policy: { deny: ['2026-02-02'] } }, there, ['2026-02-02'], undefined, []],
  ] as const)('%s', (_what, pin: BumpablePin, presence: Presence, versions, version, expected) => {
    const { ranked } = rank(pin, presence, offered(...versions), { downgrade: false, version });
    expect(ranked.map((candidate) => candidate.version)).toEqual(expected);
  });
});

describe('whether facts are news', () => {
  const facts: Facts = { kind: 'image', version: '1.0.0', digest: a, platforms: both };
  const commit: Facts = { kind: 'git', version: git.version, commit: 'c', tree: 't', digest: a };
  test.each([
    ['the same', image, facts, false],
    ['another version', image, { ...facts, version: '1.1.0' }, true],
    ['other bytes', image, { ...facts, digest: b }, true],
    ['a platform that was not known', { ...image, platforms: { 'linux/amd64': a } }, facts, true],
    ['what was only handed down', { ...image, evidence: [{ kind: 'recorded', source: 'x' }] }, facts, true],
    ['the same commit', git, commit, false],
    ['another commit of the same day', git, { ...commit, commit: 'd' }, true],
  ] as const)('%s', (_what, pin: BumpablePin, found: Facts, expected) => {
    expect(isNews(pin, { facts: found, evidence: [seen] })).toBe(expected);
  });

  test('and are refused where the pin would lose evidence', () => {
    const [candidate] = offered('1.1.0');
    if (candidate === undefined) throw new Error('no candidate');
    expect(refuseFacts(image, candidate, { facts, evidence: [seen] })).toBeUndefined();
    expect(refuseFacts(image, candidate, { facts, evidence: [] })).toEqual({
      version: '1.1.0',
      reason: 'evidence-lost',
      detail: 'the pin has registry-digest and would lose it',
    });
  });
});

describe('what a candidate brings along', () => {
  const now = new Date('2026-01-31T00:00:00Z');
  test.each([
    ['is as old as the cooldown', 10, '2026-01-01', '2026-01-21T00:00:00.000Z'],
    ['is not judged where the candidate itself is younger', 10, '2026-01-30', undefined],
    ['is not judged where its date is unknown', 10, undefined, undefined],
    ['is not judged without a cooldown', undefined, '2026-01-01', undefined],
  ])('%s', (_what, cooldownDays, published, expected) => {
    const pin = { ...image, policy: cooldownDays === undefined ? {} : { cooldownDays } };
    const candidate = { version: '1', target: '1', published };
    expect(dependenciesUntil(pin, candidate, now)?.toISOString()).toBe(expected);
  });
});

describe('the verdict where nothing is taken', () => {
  const gone: Presence = { $case: 'gone', what: 'it' };
  const held = (...reasons: readonly HeldReason[]) => reasons.map((reason) => ({ version: '2', reason, detail: '' }));
  test.each([
    ['current without candidates', there, [], 'current'],
    ['current where the range or a pre-release alone is in the way', there, ['out-of-range', 'prerelease'], 'current'],
    ['held where time or a publisher can help', there, ['out-of-range', 'too-new'], 'held'],
    ['gone, whatever is held', gone, ['too-new'], 'gone'],
  ] as const)('is %s', (_what, presence: Presence, reasons, expected) => {
    const all = held(...reasons);
    expect(conclude(presence, all)).toMatchObject({ $case: expected, held: all });
  });
});
