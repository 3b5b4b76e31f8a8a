import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askedWait, backoff, defaultRetry, isTransient } from '../../src/core/retry.ts';

describe('waiting', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  test.each([
    [{ 'retry-after': '5' }, 5000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'ratelimit-reset': '30' }, 30_000],
    [{ 'x-ratelimit-reset': String(now.getTime() / 1000 + 12) }, 12_000],
    [{}, undefined],
  ])('%j', (headers, expected) => {
    expect(askedWait(new Map(Object.entries(headers)), now)).toBe(expected);
  });

  test('grows, keeps half of itself, and never passes its maximum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const full = Math.min(defaultRetry.max, defaultRetry.base * 2 ** (attempt - 1));
          const wait = backoff(defaultRetry, attempt, () => random);
          return wait >= full / 2 - 1 && wait <= full;
        },
      ),
    );
  });

  test('only what mends itself is tried again', () => {
    const statuses = [200, 400, 401, 403, 404, 405, 408, 409, 413, 416, 429, 500, 501, 502, 503, 504];
    expect(statuses.filter(isTransient)).toEqual([408, 429, 500, 502, 503, 504]);
  });
});
