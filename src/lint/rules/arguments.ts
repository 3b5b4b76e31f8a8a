import type { Instruction, Stage } from '../model.ts';
import { declared, globalArguments, platformArguments, type Declared } from '../references.ts';
import { meaningOf } from '../scope.ts';
import type { Lint, Problem, Rule } from '../rule.ts';
import { wordsOf } from './architecture.ts';
import { checksOf } from './checksums.ts';

/** Arguments that programs read from the environment of RUN without the Dockerfile naming them. */
const environmental =
  /^(?:(?:https?|ftp|no|all)_proxy|DEBIAN_FRONTEND|SOURCE_DATE_EPOCH|LANG|LC_\w+|TZ|(?:PIP|UV|NPM_CONFIG|npm_config|CARGO|RUSTUP|BUILDKIT|GO[A-Z]+|CGO)_?\w*)$/i;

/** Names used by the words and flags of an instruction, and by its script. */
const used = new WeakMap<Instruction, Set<string>>();

function usedBy(lint: Lint, instruction: Instruction): Set<string> {
  const known = used.get(instruction) ?? namesIn(lint, instruction);
  used.set(instruction, known);
  return known;
}

function namesIn(lint: Lint, instruction: Instruction): Set<string> {
  const names = new Set<string>();
  const own =
    instruction.keyword === 'ARG' || instruction.keyword === 'ENV' || instruction.keyword === 'LABEL'
      ? declared(instruction).flatMap(({ value }) => (value === undefined ? [] : [value]))
      : instruction.words;
  for (const word of [...own, ...instruction.flags.map((flag) => flag.value)])
    for (const { name } of word.variables) names.add(name);
  const script = lint.scripts.find((one) => one.instruction === instruction);
  if (script !== undefined)
    for (const { variables } of wordsOf(script)) for (const { name } of variables) names.add(name);
  // printenv NAME, and programs given code in quotes or a here-document, see the environment, too.
  const text = script?.script.text.value ?? '';
  for (const match of text.matchAll(/(?:printenv\s+|environ(?:\.get\(|\[)["']|process\.env\.|\$\{?)([A-Za-z_]\w*)/g))
    if (match[1] !== undefined) names.add(match[1]);
  return names;
}

function descends(stage: Stage, from: Stage): boolean {
  for (let at: Stage | undefined = stage; at !== undefined; at = at.parent) if (at === from) return true;
  return false;
}

/** Used behind its declaration in the stage, or in a stage that stands on it. */
function consumed(lint: Lint, stage: Stage, instruction: Instruction, { name }: Declared): boolean {
  for (const later of lint.model.stages) {
    if (!descends(later, stage)) continue;
    const from = later === stage ? stage.instructions.indexOf(instruction) + 1 : 0;
    for (const one of later.instructions.slice(from)) if (usedBy(lint, one).has(name)) return true;
  }
  return false;
}

export const unusedArgument: Rule = {
  info: {
    id: 'dockerfile/unused-argument',
    severity: 'error',
    section: 'D5',
    summary: 'Every ARG is consumed; one that nothing reads promises an effect that it does not have.',
    remediation: 'use it in this stage (an ARG before FROM must be declared again inside), or remove it',
  },
  *check(lint) {
    const { model } = lint;
    for (const [name, { offset }] of globalArguments(model)) {
      const inFrom = [...model.preamble, ...model.stages.map((stage) => stage.from)].some((one) =>
        usedBy(lint, one).has(name),
      );
      const again = model.stages.some((stage) =>
        stage.instructions.some((one) => one.keyword === 'ARG' && declared(one).some((entry) => entry.name === name)),
      );
      if (!inFrom && !again && !environmental.test(name))
        yield {
          offset,
          subject: name,
          message: `ARG ${name} stands before FROM: expected a FROM that uses it or a stage that declares it, found neither`,
        };
    }
    for (const stage of model.stages)
      for (const instruction of stage.instructions) {
        if (instruction.keyword !== 'ARG' || instruction.onbuild) continue;
        for (const entry of declared(instruction))
          if (!environmental.test(entry.name) && !consumed(lint, stage, instruction, entry))
            yield {
              offset: entry.offset,
              subject: entry.name,
              message: `ARG ${entry.name}: expected a use behind it in stage ${stage.name ?? stage.index}, found none`,
            };
      }
  },
};

function* undeclaredIn(
  lint: Lint,
  stage: Stage,
  instruction: Instruction,
  globals: ReadonlySet<string>,
): Generator<Problem> {
  const entries =
    instruction.keyword === 'LABEL'
      ? declared(instruction).flatMap(({ value }) => (value === undefined ? [] : [value]))
      : [...instruction.words, ...instruction.flags.map((flag) => flag.value)];
  for (const { variables } of entries)
    for (const { name, offset, operation } of variables) {
      if (
        platformArguments.has(name) ||
        /^:?[-?]/.test(operation) ||
        meaningOf(lint.model, stage, instruction, name) !== undefined
      )
        continue;
      // Anything may come from the base's environment; a label, or a name that is an ARG elsewhere, does not.
      if (instruction.keyword !== 'LABEL' && !globals.has(name)) continue;
      yield {
        offset,
        subject: name,
        message: `${instruction.keyword} uses ${name}: expected ARG ${name} before it in stage ${stage.name ?? stage.index}, found ${globals.has(name) ? 'one before FROM only, which is out of scope here' : 'none'}`,
      };
    }
}

export const undeclaredArgument: Rule = {
  info: {
    id: 'dockerfile/undeclared-argument',
    severity: 'error',
    section: 'D5',
    summary: 'A label or instruction uses only arguments that are declared in its stage; others are empty.',
    remediation: 'declare the argument in the same stage, before its use',
  },
  *check(lint) {
    const { model } = lint;
    const globals = new Set(globalArguments(model).keys());
    for (const stage of model.stages) {
      for (const { variables } of [...stage.from.words, ...stage.from.flags.map((flag) => flag.value)])
        for (const { name, offset, operation } of variables)
          if (!globals.has(name) && !platformArguments.has(name) && !/^:?-/.test(operation))
            yield {
              offset,
              subject: name,
              message: `FROM uses ${name}: expected ARG ${name} before the first FROM, found none`,
            };
      for (const instruction of stage.instructions) {
        if (
          instruction.onbuild ||
          ['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK', 'SHELL', 'ARG'].includes(instruction.keyword)
        )
          continue;
        yield* undeclaredIn(lint, stage, instruction, globals);
      }
    }
    for (const run of lint.runs) {
      const { stage, instruction } = run;
      if (stage === undefined || instruction.onbuild) continue;
      const set = new Set(run.flat.commands.flatMap(({ command }) => command.assignments.map(({ name }) => name)));
      for (const { variables } of wordsOf(run))
        for (const { name, offset, operation } of variables)
          if (
            globals.has(name) &&
            !set.has(name) &&
            !/^:?[-?]/.test(operation) &&
            meaningOf(model, stage, instruction, name) === undefined
          )
            yield {
              offset,
              subject: name,
              message: `RUN uses ${name}: expected ARG ${name} before it in stage ${stage.name ?? stage.index}, found one before FROM only, which is out of scope here`,
            };
    }
  },
};

const pinned =
  /^(?:sha(?:256|384|512):)?(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|[0-9a-f]{40})$|@sha256:[0-9a-f]{64}$/;

export const overridableChecksum: Rule = {
  info: {
    id: 'dockerfile/overridable-checksum',
    severity: 'error',
    section: 'D5',
    summary: 'No build argument carries a digest, checksum or commit: --build-arg would replace it unnoticed.',
    remediation: 'write the value where it is used, or set it as a variable inside the RUN',
  },
  *check(lint) {
    const { model } = lint;
    const reported = new Set<string>();
    const all: { stage: Stage | undefined; instruction: Instruction }[] = [
      ...model.preamble.map((instruction) => ({ stage: undefined, instruction })),
      ...model.stages.flatMap((stage) => stage.instructions.map((instruction) => ({ stage, instruction }))),
    ];
    for (const { instruction } of all) {
      if (instruction.keyword !== 'ARG') continue;
      for (const { name, value, offset } of declared(instruction)) {
        if (value === undefined || !pinned.test(value.text.value)) continue;
        reported.add(name);
        yield {
          offset,
          subject: name,
          message: `ARG ${name} carries a digest, checksum or commit: --build-arg ${name}=… replaces it unnoticed`,
        };
      }
    }
    for (const run of lint.runs)
      for (const check of checksOf(lint, run))
        for (const { name, offset } of check.arguments) {
          if (reported.has(name)) continue;
          reported.add(name);
          yield {
            offset,
            subject: name,
            message: `the checksum comes from the build argument ${name}: --build-arg ${name}=… replaces it unnoticed`,
          };
        }
  },
};
