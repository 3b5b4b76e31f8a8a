import { describe, expect, it } from 'vitest';
import { checkRef } from '../../src/contract/index.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const errors = (reference: string, allowed?: string) =>
  checkRef(reference, allowed === undefined ? {} : { allowed })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ rule }) => rule.replace('contract/reference-', ''));

describe('a runner_image reference', () => {
  it.each([
    [`quay.io/org/image@${digest}`, 'IfNotPresent'],
    [`quay.io/org/image:1.0@${digest}`, 'IfNotPresent'],
    ['quay.io/org/image:1.0', 'Always'],
    ['localhost/org/image:dev', 'IfNotPresent'],
    ['localhost:5000/org/image:dev', 'Always'],
    ['registry.example.com:5000/image:latest', 'Always'],
  ])('%s is pulled %s', (reference, policy) => {
    expect(errors(reference)).toEqual([]);
    expect(checkRef(reference).pullPolicy).toBe(policy);
  });

  it.each([
    '',
    'image:1',
    'org/image:1',
    'quay.io/Org/image:1',
    'quay.io/org/image',
    'quay.io/org/image@sha256:abc',
    `quay.io/o/i@${digest}@${digest}`,
    'https://quay.io/o/i:1',
    'quay.io/o/i:',
  ])('%j breaks the grammar', (reference) => {
    expect(errors(reference)).toEqual(['grammar']);
  });

  it.each([
    ['quay.io/o/i:1', 'quay.io', true],
    ['QUAY.io/o/i:1', 'quay.io', true],
    ['quay.io/o/i:1', 'ghcr.io, quay.io', true],
    ['quay.io.evil.example/o/i:1', 'quay.io', false],
    ['evilquay.io/o/i:1', 'quay.io', false],
    ['sub.quay.io/o/i:1', 'quay.io', false],
    ['quay.io:8443/o/i:1', 'quay.io', true],
    ['quay.io/o/i:1', 'quay.io:8443', false],
    ['quay.io/o/i:1', ' , ', true],
  ])('%s against the allowlist %j: %s', (reference, allowed, passes) => {
    expect(errors(reference, allowed)).toEqual(passes ? [] : ['registry']);
  });

  it.each(['https://quay.io', 'quay.io/org', '*.quay.io'])('an allowlist entry %j is wrong use', (allowed) => {
    expect(() => checkRef('quay.io/o/i:1', { allowed })).toThrow('is not a hostname');
  });

  it('by tag alone is noted, since a tag can move', () => {
    expect(checkRef('quay.io/o/i:1').findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['contract/reference-mutable', 'note'],
    ]);
  });
});
