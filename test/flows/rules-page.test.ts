import { expect, test } from 'vitest';
import type { RuleInfo } from '../../src/core/index.ts';
import { allRules, rulesPage } from '../../src/flows/generate-rules.ts';

const rule: RuleInfo = {
  id: 'contract/one',
  severity: 'error',
  section: '3.6',
  summary: 'one | two\nthree',
  remediation: 'do it',
};

test('every rule of every room has one row', async () => {
  const rules = allRules;
  const rows = rulesPage(rules).match(/^\| `[a-z]+\/[a-z-]+` \|/gm) ?? [];
  expect(rows.map((row) => row.slice(3, -3)).sort()).toEqual(rules.map(({ id }) => id).sort());
  expect(new Set(rows.map((row) => row.slice(3).split('/')[0]))).toEqual(new Set(['contract', 'probe', 'dockerfile']));
});

test('what would break a table is escaped', () => {
  expect(rulesPage([rule])).toContain('| `contract/one` | error | 3.6 | one \\| two three. | do it. |');
});

test('a rule of a section or room that the page does not explain is a defect', () => {
  expect(() => rulesPage([{ ...rule, section: '9.9' }])).toThrow('does not explain section 9.9');
  expect(() => rulesPage([{ ...rule, id: 'other/one' }])).toThrow('no place for it');
});
