import {
  globalArguments,
  platformArguments,
  type Instruction,
  type Model,
  type Stage,
} from '../../dockerfile/index.ts';
import { inStages, type Rule } from '../rule.ts';
import { isAncestor, meaningOf } from '../scope.ts';
import { scriptUses } from './architecture.ts';
import { environmental, filledWords, mayRead, usedBy, usesByName } from './argument-uses.ts';
import { checksOf } from './checksums.ts';

/** Searches what stands behind an offset; the nearest are looked at first. */
function someBehind<T extends { readonly offset: number }>(
  all: readonly T[],
  offset: number,
  holds: (one: T) => boolean,
): boolean {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle]?.offset ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < all.length; i++) {
    const one = all[i];
    if (one !== undefined && holds(one)) return true;
  }
  return false;
}

const unusedArgument: Rule = {
  info: {
    id: 'dockerfile/unused-argument',
    severity: 'error',
    section: 'D5',
    summary:
      'Every ARG is consumed; one that nothing reads promises an effect that it does not have. Programs of a RUN may read it from their environment.',
    remediation: 'use it in this stage (an ARG before FROM must be declared again inside), or remove it',
  },
  *check(lint) {
    const { model } = lint;
    const inFrom = new Set(
      [...model.preamble, ...model.stages.map((stage) => stage.from)].flatMap((one) => [...usedBy(lint, one)]),
    );
    const inStage = new Set(
      [...inStages(model, 'ARG')].flatMap(({ instruction }) => instruction.declared.map(({ name }) => name)),
    );
    for (const [name, { offset }] of globalArguments(model))
      if (!inFrom.has(name) && !inStage.has(name) && !environmental.test(name))
        yield {
          offset,
          subject: name,
          message: `ARG ${name} stands before FROM: expected a FROM that uses it or a stage that declares it, found neither`,
        };
    const uses = usesByName(lint);
    const readers = [...inStages(model, 'RUN')]
      .filter(({ instruction }) => mayRead(lint, instruction))
      .map((one) => ({ stage: one.stage, offset: one.instruction.offset }));
    const follows = (all: readonly { stage: Stage; offset: number }[], stage: Stage, offset: number): boolean =>
      someBehind(all, offset, (one) => isAncestor(model, stage, one.stage));
    for (const { stage, instruction } of inStages(model, 'ARG')) {
      if (instruction.onbuild) continue;
      for (const { name, offset } of instruction.declared) {
        const isUsed = follows(uses.get(name) ?? [], stage, instruction.offset);
        if (!isUsed && !environmental.test(name) && !follows(readers, stage, instruction.offset))
          yield {
            offset,
            subject: name,
            message: `ARG ${name}: expected a use behind it in stage ${stage.name ?? stage.index}, found none`,
          };
      }
    }
  },
};

/** The variable is empty there: neither declared, nor set by BuildKit, nor given a default. */
function isEmpty(
  model: Model,
  stage: Stage,
  instruction: Instruction,
  { name, operation }: { name: string; operation: string },
): boolean {
  return (
    !platformArguments.has(name) &&
    !/^:?[-?]/.test(operation) &&
    meaningOf(model, stage, instruction, name) === undefined
  );
}

const notFilled = new Set(['RUN', 'CMD', 'ENTRYPOINT', 'HEALTHCHECK', 'SHELL', 'ARG']);

const undeclaredArgument: Rule = {
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
    }
    const scopeless = 'found one before FROM only, which is out of scope here';
    for (const { stage, instruction } of inStages(model)) {
      if (instruction.onbuild || notFilled.has(instruction.keyword)) continue;
      for (const { variables } of filledWords(instruction))
        for (const variable of variables) {
          const { name, offset } = variable;
          // Anything may come from the base's environment; a label, or a name that is an ARG elsewhere, does not.
          if (instruction.keyword !== 'LABEL' && !globals.has(name)) continue;
          if (isEmpty(model, stage, instruction, variable))
            yield {
              offset,
              subject: name,
              message: `${instruction.keyword} uses ${name}: expected ARG ${name} before it in stage ${stage.name ?? stage.index}, ${globals.has(name) ? scopeless : 'found none'}`,
            };
        }
    }
    for (const use of scriptUses(lint)) {
      const { name, offset, stage, instruction } = use;
      if (!instruction.onbuild && globals.has(name) && isEmpty(model, stage, instruction, use))
        yield {
          offset,
          subject: name,
          message: `RUN uses ${name}: expected ARG ${name} before it in stage ${stage.name ?? stage.index}, ${scopeless}`,
        };
    }
  },
};

const pinned =
  /^(?:sha(?:256|384|512):)?(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|[0-9a-f]{40})$|@sha256:[0-9a-f]{64}$/;

const overridableChecksum: Rule = {
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
    for (const instruction of [...model.preamble, ...model.stages.flatMap((stage) => stage.instructions)]) {
      if (instruction.keyword !== 'ARG') continue;
      for (const { name, value, offset } of instruction.declared) {
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

export const argumentRules: readonly Rule[] = [unusedArgument, undeclaredArgument, overridableChecksum];
