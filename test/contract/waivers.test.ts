import { describe, expect, it } from 'vitest';
import { applyWaivers } from '../../src/contract/index.ts';
import type { Finding, Waiver } from '../../src/core/index.ts';

const found: Finding = {
  rule: 'contract/setid',
  severity: 'error',
  message: 'm',
  subject: '/usr/bin/su',
  remediation: 'r',
  location: { $case: 'image' },
};
const waiver: Waiver = {
  rule: 'contract/setid',
  subject: '/usr/bin/su',
  reason: 'it is needed',
  owner: 'team',
  expires: '2026-12-31',
  where: { file: 'images/x/image.yaml', line: 9, column: 5 },
};
const on = (date: string, waivers: Waiver[], findings: Finding[] = [found]) =>
  applyWaivers(findings, waivers, { now: new Date(date), knownRules: ['contract/setid'] }).map(
    ({ rule, severity, waived }) => `${rule} ${severity}${waived === undefined ? '' : ` waived by ${waived.owner}`}`,
  );

describe('a waiver', () => {
  it('turns its finding into a note that says who decided', () => {
    expect(on('2026-01-01', [waiver])).toEqual(['contract/setid note waived by team']);
  });
  it.each(['/usr/bin/*', '/usr/**', '/usr/bin/s?'])('names subjects by glob: %s', (subject) => {
    expect(on('2026-01-01', [{ ...waiver, subject }])).toEqual(['contract/setid note waived by team']);
  });
  it('does not reach into other directories with *', () => {
    expect(on('2026-01-01', [{ ...waiver, subject: '/usr/*' }])).toEqual([
      'contract/setid error',
      'contract/waiver-unused warning',
    ]);
  });
  it('holds to the end of its last day, UTC', () => {
    expect(on('2026-12-31T23:59:59Z', [waiver])).toContain('contract/setid note waived by team');
    expect(on('2027-01-01T00:00:00Z', [waiver])).toEqual(['contract/setid error', 'contract/waiver-expired error']);
  });
  it('warns from thirty days before', () => {
    expect(on('2026-12-01T00:00:00Z', [waiver])).toEqual(['contract/setid note waived by team']);
    expect(on('2026-12-02T00:00:00Z', [waiver])).toEqual([
      'contract/setid note waived by team',
      'contract/waiver-expiring warning',
    ]);
  });
  it('that excuses nothing is a warning at its line, and one taken over from the base is not', () => {
    const [about] = applyWaivers([], [waiver], { now: new Date('2026-01-01') });
    expect(about).toMatchObject({ rule: 'contract/waiver-unused', location: { $case: 'file', line: 9, column: 5 } });
    expect(on('2026-01-01', [{ ...waiver, inherited: true }], [])).toEqual([]);
  });
  it('of a rule that does not exist says so', () => {
    const [, about] = applyWaivers([found], [{ ...waiver, rule: 'contract/suid' }], {
      now: new Date('2026-01-01'),
      knownRules: ['contract/setid'],
    });
    expect(about?.message).toContain('there is no rule contract/suid');
  });
  it('with a date that cannot be read excuses nothing', () => {
    expect(on('2026-01-01', [{ ...waiver, expires: 'soon' }])).toEqual([
      'contract/setid error',
      'contract/waiver-expired error',
    ]);
  });
});
