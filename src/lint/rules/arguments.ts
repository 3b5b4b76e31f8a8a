import {
  globalArguments,
  platformArguments,
  type DockerWord,
  type Instruction,
  type Model,
  type Stage,
} from '../../dockerfile/index.ts';
import { inStages, type Lint, type Rule } from '../rule.ts';
import { isAncestor, meaningOf } from '../scope.ts';
import { scriptUses, wordsOf } from './architecture.ts';
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

/** The words whose variables Docker fills in: of ARG, ENV and LABEL the values. */
function filledWords(instruction: Instruction): DockerWord[] {
  const values = ['ARG', 'ENV', 'LABEL'].includes(instruction.keyword)
    ? instruction.declared.flatMap(({ value }) => value ?? [])
    : instruction.words;
  return [...values, ...instruction.flags.map((flag) => flag.value)];
}

function namesIn(lint: Lint, instruction: Instruction): Set<string> {
  const scripts = lint.scriptsOf(instruction);
  const names = new Set(
    [...filledWords(instruction), ...scripts.flatMap(wordsOf)].flatMap(({ variables }) =>
      variables.map(({ name }) => name),
    ),
  );
  // printenv NAME, and programs given code in quotes or a here-document, see the environment, too.
  const inCode = /(?:printenv\s+|environ(?:\.get\(|\[)["']|process\.env\.|\$\{?)([A-Za-z_]\w*)/g;
  for (const { script } of scripts)
    for (const [, name] of script.text.value.matchAll(inCode)) if (name !== undefined) names.add(name);
  return names;
}

/** Programs that are known to read no variable of their own naming; every other one sees the arguments of its RUN. */
const deaf = new Set(
  'apt apt-get apt-cache dpkg dnf yum microdnf rpm zypper apk pacman curl wget tar gzip gunzip unzip xz bzip2 echo printf cat ls cp mv rm mkdir rmdir ln chmod chown chgrp touch install sed grep egrep fgrep awk cut tr sort uniq head tail tee find test [ [[ true false : set cd pwd export unset exit sha256sum sha512sum useradd groupadd usermod adduser addgroup update-ca-certificates ldconfig id sleep gpg'.split(
    ' ',
  ),
);

/** The RUN starts a program that may read any argument from its environment. */
function mayRead(lint: Lint, instruction: Instruction): boolean {
  if (instruction.keyword !== 'RUN') return false;
  const scripts = lint.scriptsOf(instruction);
  // What was not read may do anything.
  return (
    scripts.length === 0 ||
    scripts.some(
      ({ flat }) => flat.unreadable.length > 0 || flat.commands.some(({ name }) => name !== '' && !deaf.has(name)),
    )
  );
}

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

/** Every use of every name in the file's order: searching all instructions for each ARG would be quadratic. */
function usesByName(lint: Lint): ReadonlyMap<string, readonly { stage: Stage; offset: number }[]> {
  const found = new Map<string, { stage: Stage; offset: number }[]>();
  for (const { stage, instruction } of inStages(lint.model))
    for (const name of usedBy(lint, instruction)) {
      const all = found.get(name);
      if (all === undefined) found.set(name, [{ stage, offset: instruction.offset }]);
      else all.push({ stage, offset: instruction.offset });
    }
  return found;
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
