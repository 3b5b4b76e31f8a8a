import type { Word } from '../shell/ast.ts';
import type { Flat } from '../shell/flat.ts';
import { commandsOfWord } from '../shell/flatten.ts';
import { isRemote, options } from '../shell/downloads.ts';
import { meaningOf } from '../scope.ts';
import { shorten, sourcesOf, texts, type Lint, type LintScript, type Rule } from '../rule.ts';

const commit = /(?:^|[^0-9a-f])[0-9a-f]{40}(?:[0-9a-f]{24})?(?![0-9a-f])/;
const valued = new Set(
  '-C -c --git-dir --work-tree --depth --revision -b --branch -o --origin --reference --filter -j --jobs'.split(' '),
);

/** A literal commit in the word itself, or in a variable that this RUN or an ENV sets. */
function holdsCommit(lint: Lint, run: LintScript, word: Word): boolean {
  if (commit.test(word.value.value)) return true;
  return word.variables.some(({ name }) => {
    const assigned = run.flat.commands.flatMap(({ command }) => command.assignments.filter((one) => one.name === name));
    if (assigned.length > 0) return assigned.every(({ value }) => commit.test(value.value.value));
    if (run.stage === undefined) return false;
    const value = meaningOf(lint.model, run.stage, run.instruction, name)?.value?.text.value;
    return value !== undefined && commit.test(value);
  });
}

function subcommand(flat: Flat): string {
  return flat.name === 'git' ? (options(flat.args, valued).rest[0] ?? '') : '';
}

function pins(lint: Lint, run: LintScript, flat: Flat): boolean {
  const holds = flat.args.some((word) => holdsCommit(lint, run, word));
  if (['checkout', 'reset', 'switch', 'fetch'].includes(subcommand(flat))) return holds;
  const asks = flat.args.some((word) => commandsOfWord(word).some((inner) => subcommand(inner) === 'rev-parse'));
  return ['[', '[[', 'test'].includes(flat.name) && asks && holds;
}

/** `git clone --revision=<commit>` takes nothing else. */
function takesRevision(lint: Lint, run: LintScript, flat: Flat): boolean {
  const at = flat.args.findIndex(({ value }) => value.value.startsWith('--revision'));
  const word = flat.args[at]?.value.value === '--revision' ? flat.args[at + 1] : flat.args[at];
  return word !== undefined && holdsCommit(lint, run, word);
}

export const unpinnedGit: Rule = {
  info: {
    id: 'dockerfile/unpinned-git',
    severity: 'error',
    section: 'D2',
    summary: 'What git fetches is checked out at a commit of 40 hex digits that is written out.',
    remediation: 'add `git checkout --detach <40 hex digits>` behind the clone in the same RUN',
  },
  *check(lint) {
    for (const run of lint.runs) {
      if (!run.flat.commands.some(({ name }) => name === 'git')) continue;
      const lastPin = run.flat.commands.findLastIndex((one) => pins(lint, run, one));
      for (const [i, one] of run.flat.commands.entries()) {
        const what = subcommand(one);
        if (what !== 'clone' && what !== 'fetch' && what !== 'pull') continue;
        if (i <= lastPin || takesRevision(lint, run, one)) continue;
        const url = texts(one.args).find(isRemote) ?? what;
        yield {
          offset: one.offset,
          subject: url,
          message: `git ${what} ${shorten(url === what ? '' : url, 60)}: expected a checkout of a commit of 40 hex digits in the same RUN, found none`,
        };
      }
    }
    for (const { word } of sourcesOf(lint.model, 'ADD')) {
      const url = word.text.value;
      if (!isRemote(url) || !/\.git(?:#|$)/.test(url) || /#[0-9a-f]{40}(?::|$)/.test(url)) continue;
      yield {
        offset: word.offset,
        subject: url,
        message: `ADD ${shorten(url)}: expected #<40 hex digits>, found ${url.includes('#') ? 'a branch or tag' : 'the default branch'}`,
      };
    }
  },
};
