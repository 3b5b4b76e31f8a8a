import { describe, expect, it } from 'vitest';
import { lintDockerfile, lintRules } from '../../src/lint/index.ts';
import { base, cases } from './cases.ts';

/** `line:column` of every finding of one rule. */
function placesOf(rule: string, text: string): string[] {
  return lintDockerfile('Dockerfile', text)
    .findings.filter((finding) => finding.rule === `dockerfile/${rule}`)
    .map(({ location }) => (location.$case === 'file' ? `${location.line}:${location.column}` : location.$case));
}

describe('the rules of the Dockerfile linter', () => {
  it('have failing and passing cases, every one of them', () => {
    expect(
      Object.keys(cases)
        .map((name) => `dockerfile/${name}`)
        .sort(),
    ).toEqual(lintRules.map(({ id }) => id).sort());
    for (const { fails, passes } of Object.values(cases))
      expect(Math.min(fails.length, passes.length)).toBeGreaterThan(0);
  });
  it('report a download that is run unseen once', () => {
    const { findings } = lintDockerfile('Dockerfile', `${base}\nRUN curl https://example.com/i | sh\n`);
    expect(findings.map(({ rule }) => rule)).toEqual(['dockerfile/pipe-to-shell']);
  });
  for (const [rule, { fails, passes }] of Object.entries(cases))
    describe(rule, () => {
      it.each(fails)('finds: $name', ({ text, at }) => {
        expect(placesOf(rule, text)).toEqual(at);
      });
      it.each(passes)('lets pass: $name', ({ text }) => {
        expect(placesOf(rule, text)).toEqual([]);
      });
    });
});
