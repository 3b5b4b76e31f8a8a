import type { Case, List } from '../shell/ast.ts';
import { platformArguments, type Instruction, type Stage } from '../../dockerfile/index.ts';
import type { Flat } from '../shell/flat.ts';
import { commandsOfWord, flatten } from '../shell/flatten.ts';
import { endsScript } from '../shell/outcome.ts';
import { meaningOf } from '../scope.ts';
import { commandRule, inStages, texts, type Lint, type LintScript, type Problem, type Rule } from '../rule.ts';

function asksMachine({ name, args }: Flat): boolean {
  if (name === 'uname')
    return texts(args).some((text) => /^-[a-z]*[mpi]|^--(?:machine|processor|hardware-platform)$/.test(text));
  return name === 'arch' && args.length === 0;
}

const unameArchitecture = commandRule(
  {
    id: 'dockerfile/uname-architecture',
    severity: 'error',
    section: 'D4',
    summary: 'The architecture is TARGETARCH, not what the building machine or its emulator says.',
    remediation: 'declare `ARG TARGETARCH` in the stage and use $TARGETARCH',
  },
  (one) =>
    asksMachine(one)
      ? { subject: one.name, message: `the architecture comes from ${one.name}: expected TARGETARCH` }
      : undefined,
);

interface Use {
  readonly name: string;
  readonly offset: number;
  readonly operation: string;
  readonly instruction: Instruction;
  readonly stage: Stage;
}

const scripted = new Set(['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK']);

/** scriptUses returns every use of a variable in a RUN that does not set it. */
export function* scriptUses({ runs }: Lint): Generator<Use> {
  for (const run of runs) {
    const { stage, instruction } = run;
    if (stage === undefined) continue;
    const set = new Set(run.flat.commands.flatMap(({ command }) => command.assignments.map(({ name }) => name)));
    for (const word of wordsOf(run))
      for (const variable of word.variables) if (!set.has(variable.name)) yield { ...variable, instruction, stage };
  }
}

/** Uses in a stage, by RUN and by the words and flags of other instructions. */
function* uses(lint: Lint): Generator<Use> {
  yield* scriptUses(lint);
  for (const { stage, instruction } of inStages(lint.model))
    if (!scripted.has(instruction.keyword))
      for (const word of [...instruction.words, ...instruction.flags.map((flag) => flag.value)])
        for (const variable of word.variables) yield { ...variable, instruction, stage };
}

/** Every word of a script: arguments, assigned values, redirections, `case` and `for` words. */
export function wordsOf({ flat }: LintScript): {
  variables: readonly { name: string; offset: number; operation: string }[];
  value: { value: string };
}[] {
  return [
    ...flat.commands.flatMap(({ command }) => [
      ...command.words,
      ...command.assignments.map(({ value }) => value),
      ...command.redirects.map(({ target }) => target),
    ]),
    ...flat.cases.flatMap((one) => [one.subject, ...one.arms.flatMap(({ patterns }) => patterns)]),
    ...flat.pipelines.flatMap(({ pipeline }) =>
      pipeline.commands.flatMap((command) => (command.kind === 'group' ? command.words : [])),
    ),
  ];
}

const undeclaredPlatform: Rule = {
  info: {
    id: 'dockerfile/undeclared-platform-argument',
    severity: 'error',
    section: 'D4',
    summary: 'TARGETARCH and its siblings are empty in a stage that does not declare them.',
    remediation: 'add `ARG TARGETARCH` (or the argument used) to the stage, before its first use',
  },
  *check(lint) {
    const seen = new Set<string>();
    for (const { name, offset, instruction, stage } of uses(lint)) {
      if (
        !platformArguments.has(name) ||
        instruction.onbuild ||
        meaningOf(lint.model, stage, instruction, name) !== undefined
      )
        continue;
      if (instruction.keyword === 'ARG' || seen.has(`${instruction.offset} ${name}`)) continue;
      seen.add(`${instruction.offset} ${name}`);
      yield {
        offset,
        subject: name,
        message: `${name} is used but not declared in stage ${stage.name ?? stage.index}: expected ARG ${name} before it, found an empty value`,
      };
    }
  },
};

function isAboutArchitecture(one: Case): boolean {
  if (one.subject.variables.some(({ name }) => platformArguments.has(name))) return true;
  if (commandsOfWord(one.subject).some((flat) => asksMachine(flat) || flat.name === 'dpkg')) return true;
  const patterns = one.arms.flatMap(({ patterns: all }) => all.map(({ value }) => value.value));
  return patterns.some((text) => /^(?:linux\/)?(?:amd64|arm64|x86_64|aarch64)$/.test(text));
}

function setIn(list: List): Set<string> {
  return new Set(flatten(list).commands.flatMap(({ command }) => command.assignments.map(({ name }) => name)));
}

/** A case whose arms set a variable that is empty for another architecture, and is used all the same. */
function* openCases(run: LintScript): Generator<Problem> {
  if (run.flat.cases.length === 0) return;
  // `set -u` and ${sum:?unknown architecture} fail as well.
  const isStrict = run.flat.commands.some(
    ({ name, args }) => name === 'set' && texts(args).some((text) => /^-[a-z]*u|^nounset$/.test(text)),
  );
  const uses = wordsOf(run).flatMap(({ variables }) => variables);
  for (const one of run.flat.cases) {
    if (!isAboutArchitecture(one)) continue;
    const fallback = one.arms.find(({ patterns }) =>
      patterns.some(({ value, quoted }) => value.value === '*' && !quoted),
    );
    const other = fallback === undefined ? new Set<string>() : setIn(fallback.body);
    if (fallback === undefined ? isStrict : endsScript(fallback.body)) continue;
    const end = Math.max(...one.arms.flatMap(({ body }) => body.map(({ offset }) => offset)), one.offset);
    const names = new Set(one.arms.flatMap(({ body }) => [...setIn(body)]));
    const before = run.flat.commands.filter(({ offset }) => offset < one.offset);
    const isSet = new Set(before.flatMap(({ command }) => command.assignments.map(({ name }) => name)));
    const empty = [...names].find((name) => {
      const later = uses.filter((use) => use.name === name && use.offset > end);
      return (
        !other.has(name) &&
        !isSet.has(name) &&
        later.length > 0 &&
        later.every(({ operation }) => !/^:?[-?]/.test(operation))
      );
    });
    if (empty === undefined) continue;
    const found = fallback === undefined ? 'no *) arm' : 'a *) arm that goes on';
    yield {
      offset: one.offset,
      subject: one.subject.value.value,
      message: `case ${one.subject.value.value}: expected an unknown architecture to fail, found ${found}, and ${empty} is empty behind it`,
    };
  }
}

const architectureCase: Rule = {
  info: {
    id: 'dockerfile/architecture-default',
    severity: 'error',
    section: 'D4',
    summary:
      'A case over the architecture fails for one that it does not know, and leaves no variable empty that is used.',
    remediation: 'add `*) echo "unknown architecture: $TARGETARCH" >&2; exit 1;;`',
  },
  *check(lint) {
    for (const run of lint.runs) yield* openCases(run);
  },
};

export const architectureRules: readonly Rule[] = [unameArchitecture, undeclaredPlatform, architectureCase];
