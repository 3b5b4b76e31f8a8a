import { expect, test } from 'vitest';
import { lintDockerfile } from '../../src/lint/index.ts';
import { base } from './cases.ts';

/** Lines of what is found of one rule, with the comment above the second of three RUNs that each break it. */
function found(comment: string, rule = 'dockerfile/sudo'): number[] {
  const text = [base, 'RUN sudo one', comment, 'RUN sudo two && \\', '  sudo two', 'RUN sudo three', ''].join('\n');
  return lintDockerfile('Dockerfile', text)
    .findings.filter((finding) => finding.rule === rule)
    .map(({ location }) => (location.$case === 'file' ? location.line : 0));
}

test('without a comment each place is found', () => {
  expect(found('# two')).toEqual([2, 4, 5, 6]);
});

test('a comment silences the instruction below it, all of its lines, and no other', () => {
  expect(found('# lint: ignore sudo -- the base has no root')).toEqual([2, 6]);
});

test('a comment silences no rule that it does not name', () => {
  expect(found('# lint: ignore pipefail -- the base has no root')).toEqual([2, 4, 5, 6]);
});

test.each([
  ['a rule that does not exist', '# lint: ignore sudo, no-such-rule -- the base has no root'],
  ['no rule', '# lint: ignore -- the base has no root'],
  ['no reason', '# lint: ignore sudo'],
  ['a reason of two characters', '# lint: ignore sudo -- ab'],
])('a comment with %s silences nothing, and is found itself', (_name, comment) => {
  expect([found(comment), found(comment, 'dockerfile/ignore-comment')]).toEqual([[2, 4, 5, 6], [3]]);
});

test('a reason of three characters is one', () => {
  expect(found('# lint: ignore sudo -- abc')).toEqual([2, 6]);
});
