import { describe, expect, it } from 'vitest';
import { check, derived, openshell, problems, standard } from './good.ts';

describe('images that keep the contract', () => {
  it('a standard image has no finding', () => {
    expect(problems(check(standard(), 'standard'))).toEqual([]);
  });
  it('an openshell image has none but its waived user', () => {
    const result = check(openshell(), 'openshell');
    expect(problems(result)).toEqual([]);
    expect(result.findings.map(({ rule, waived }) => [rule, waived?.owner])).toEqual([
      ['contract/user-non-root', 'test'],
    ]);
  });
  it('a derived image has none, and is known as derived from standard', () => {
    const result = check(derived(), 'custom');
    expect(problems(result)).toEqual([]);
    expect(result.summary.profile).toBe('custom (standard)');
  });
  it('every rule was decided', () => {
    for (const result of [check(standard(), 'standard'), check(openshell(), 'openshell'), check(derived(), 'custom')])
      expect(result.summary.undecided).toEqual([]);
  });
});
