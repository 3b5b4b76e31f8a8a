import type { DockerWord, Instruction, Stage } from '../../dockerfile/index.ts';
import { inStages, type Lint } from '../rule.ts';
import { wordsOf } from './architecture.ts';

/** Names of arguments that programs read from the environment of RUN without the Dockerfile naming them. */
export const environmental =
  /^(?:(?:https?|ftp|no|all)_proxy|DEBIAN_FRONTEND|SOURCE_DATE_EPOCH|LANG|LC_\w+|TZ|(?:PIP|UV|NPM_CONFIG|npm_config|CARGO|RUSTUP|BUILDKIT|GO[A-Z]+|CGO)_?\w*)$/i;

const used = new WeakMap<Instruction, Set<string>>();

/** usedBy returns the names used by the words and flags of an instruction, and by its script. */
export function usedBy(lint: Lint, instruction: Instruction): Set<string> {
  const known = used.get(instruction) ?? namesIn(lint, instruction);
  used.set(instruction, known);
  return known;
}

/** filledWords returns the words whose variables Docker fills in: of ARG, ENV and LABEL the values. */
export function filledWords(instruction: Instruction): DockerWord[] {
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

/** mayRead returns whether the RUN starts a program that may read any argument from its environment. */
export function mayRead(lint: Lint, instruction: Instruction): boolean {
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

/** usesByName returns every use of every name in the file's order: searching all instructions for each ARG would be quadratic. */
export function usesByName(lint: Lint): ReadonlyMap<string, readonly { stage: Stage; offset: number }[]> {
  const found = new Map<string, { stage: Stage; offset: number }[]>();
  for (const { stage, instruction } of inStages(lint.model))
    for (const name of usedBy(lint, instruction)) {
      const all = found.get(name);
      if (all === undefined) found.set(name, [{ stage, offset: instruction.offset }]);
      else all.push({ stage, offset: instruction.offset });
    }
  return found;
}
