import type { Word } from '../shell/ast.ts';
import { readsStdin, shellNames } from '../shell/code.ts';
import { fetches, type Flat } from '../shell/flat.ts';
import { commandsIn, commandsOfWord } from '../shell/flatten.ts';
import { shorten, type LintScript, type Problem, type Rule } from '../rule.ts';

const interpreters = /^(?:python[0-9.]*|perl|ruby|node|php|pwsh|bun|deno|tclsh|lua)$/;
const readers = new Set(['eval', 'source', '.']);

const runsCode = (flat: Flat): boolean =>
  shellNames.has(flat.name) || interpreters.test(flat.name) || readers.has(flat.name);

/** The word brings the network's bytes: `$(curl …)`, `<(curl …)`, or a variable that was filled so. */
function carries(word: Word, tainted: ReadonlySet<string>): boolean {
  return commandsOfWord(word).some(fetches) || word.variables.some((variable) => tainted.has(variable.name));
}

function* pipes({ flat }: LintScript): Generator<Problem & { readonly fetch: Flat | undefined }> {
  const tainted = new Set<string>();
  for (const { command } of flat.commands)
    for (const { name, value } of command.assignments) if (commandsOfWord(value).some(fetches)) tainted.add(name);
  const reported = new Set<number>();
  for (const one of flat.commands) {
    if (!runsCode(one) && !(one.args.length === 0 && one.command.words.some((word) => carries(word, new Set()))))
      continue;
    const upstream = one.upstream.flatMap((command) => commandsIn(command));
    const source = readsStdin(one.name, one.args) ? upstream.find(fetches) : undefined;
    const inputs = one.command.redirects
      .filter(({ operator }) => operator === '<' || operator === '<<<')
      .map(({ target }) => target);
    const word = [...one.command.words, ...inputs].find((each) => carries(each, tainted));
    // Arguments behind a script file are data, not code.
    const code = one.args.findIndex((each) => carries(each, tainted));
    const data = interpreters.test(one.name) && code > 0 && !/^-/.test(one.args[code - 1]?.value.value ?? '-');
    if (source === undefined && (word === undefined || data)) continue;
    // `sh -c "$(curl …)"` is seen as the argument and again as the code: one finding for one download.
    const fetch = source ?? (word === undefined ? undefined : commandsOfWord(word).find(fetches));
    if (fetch !== undefined && reported.has(fetch.offset)) continue;
    if (fetch !== undefined) reported.add(fetch.offset);
    const from = source === undefined ? shorten(word?.value.value ?? '', 60) : `${source.name}'s output`;
    yield {
      fetch,
      offset: source?.offset ?? word?.offset ?? one.offset,
      subject: one.name === '' ? 'shell' : one.name,
      message: `${one.name === '' ? 'the shell' : one.name} runs what the network sends (${from}): expected a file checked before it is run`,
    };
  }
}

const found = new WeakMap<LintScript, readonly (Problem & { readonly fetch: Flat | undefined })[]>();

function problemsOf(script: LintScript): readonly (Problem & { readonly fetch: Flat | undefined })[] {
  const known = found.get(script) ?? [...pipes(script)];
  found.set(script, known);
  return known;
}

/** runUnseen returns the offsets of downloads that are run unseen: one defect, with one finding. */
export function runUnseen(script: LintScript): ReadonlySet<number> {
  return new Set(problemsOf(script).flatMap(({ fetch }) => fetch?.offset ?? []));
}

export const pipeToShell: Rule = {
  info: {
    id: 'dockerfile/pipe-to-shell',
    severity: 'error',
    section: 'D2',
    summary:
      'Nothing from the network is run unseen: no curl | sh, sh -c "$(curl …)", bash <(curl …), eval "$(wget …)".',
    remediation: 'download to a file, check it against a committed checksum, then run it',
  },
  *check(lint) {
    for (const script of lint.scripts)
      for (const { offset, subject, message } of problemsOf(script)) yield { offset, subject, message };
  },
};

/** Commands whose failure in front of a pipe loses nothing. */
const harmless = new Set(['echo', 'printf', 'true', ':', 'yes', '[', 'test', 'pwd', 'seq', '']);

function setsPipefail(flat: Flat): boolean {
  return (
    flat.name === 'set' &&
    flat.args.some(
      (word, i) => word.value.value === 'pipefail' && /^-[a-z]*o$/.test(flat.args[i - 1]?.value.value ?? ''),
    )
  );
}

function shellPipefail(flat: Flat): boolean {
  return shellNames.has(flat.name) && flat.args.some((word) => word.value.value === 'pipefail');
}

export const pipefail: Rule = {
  info: {
    id: 'dockerfile/pipefail',
    severity: 'warning',
    section: 'D7',
    summary: 'A pipe whose left side can fail stands behind set -o pipefail.',
    remediation: 'begin the RUN with `set -o pipefail;` or set SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
  },
  *check(lint) {
    for (const run of lint.runs) {
      const { flat, script } = run;
      if (script.options.pipefail) continue;
      const unseen = runUnseen(run);
      const on = flat.commands.find((one) => setsPipefail(one) || shellPipefail(one))?.offset ?? Infinity;
      for (const { pipeline, tested } of flat.pipelines) {
        if (tested || pipeline.commands.length < 2 || pipeline.offset > on) continue;
        const left = pipeline.commands.slice(0, -1).flatMap((command) => commandsIn(command));
        const lost = left.find(({ name }) => !harmless.has(name));
        if (lost === undefined || unseen.has(lost.offset)) continue;
        yield {
          offset: pipeline.offset,
          subject: lost.name,
          message: `a failure of ${lost.name} is lost in the pipe: expected set -o pipefail before it`,
        };
      }
    }
  },
};
