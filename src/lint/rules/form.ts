import { allInstructions, refusalsOf } from '../../dockerfile/index.ts';
import { shorten, type Rule } from '../rule.ts';

const known = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

const unknownInstruction: Rule = {
  info: {
    id: 'dockerfile/unknown-instruction',
    severity: 'error',
    section: 'D0',
    summary: 'Every line is an instruction that Docker knows, and only ARG stands before the first FROM.',
    remediation: 'mend the line; a here-document or a continued line may end earlier than meant',
  },
  *check({ model }) {
    for (const { instruction, stage } of allInstructions(model)) {
      const { keyword, offset } = instruction;
      if (!known.has(keyword))
        yield {
          offset,
          subject: keyword.slice(0, 40),
          message: `expected an instruction, found ${JSON.stringify(keyword.slice(0, 40))}`,
        };
      else if (stage === undefined && keyword !== 'ARG')
        yield { offset, subject: keyword, message: `expected FROM before ${keyword}, found it in front` };
    }
  },
};

const refusedInstruction: Rule = {
  info: {
    id: 'dockerfile/refused-instruction',
    severity: 'error',
    section: 'D0',
    summary: 'BuildKit builds every instruction: no unknown flag, missing argument, open quote or open here-document.',
    remediation: 'mend the instruction: what another tool makes of it is not what BuildKit would build',
  },
  *check({ model }) {
    for (const { offset, message } of refusalsOf(model)) yield { offset, subject: shorten(message, 60), message };
  },
};

const unreadableShell: Rule = {
  info: {
    id: 'dockerfile/unreadable-shell',
    severity: 'error',
    section: 'D0',
    summary: 'The shell code can be read, so that the other rules saw all of it.',
    remediation: 'write it plainer, or move it to a script that is copied in',
  },
  *check({ unread }) {
    for (const { instruction, reason, offset, shell } of unread)
      if (shell === undefined)
        yield {
          offset,
          subject: instruction.keyword,
          message: `${instruction.keyword}: this shell code was not checked: ${reason}`,
        };
  },
};

const unknownShell: Rule = {
  info: {
    id: 'dockerfile/unknown-shell',
    severity: 'error',
    section: 'D0',
    summary:
      'All code is for sh or bash, or Python, Perl, Ruby, PHP, Node or awk that names no way to the network, other programs or code made at run time: no command goes unchecked.',
    remediation:
      'use sh or bash, move the code to a file that is copied in, or ignore this rule beside an instruction that people have checked',
  },
  *check({ unread }) {
    for (const { instruction, reason, offset, shell } of unread)
      if (shell !== undefined)
        yield {
          offset,
          subject: shell,
          message: `${instruction.keyword} was not checked: expected code for sh or bash, found code for ${shorten(shell, 40)} (${shorten(reason, 40)})`,
        };
  },
};

export const ignoreComment: Rule = {
  info: {
    id: 'dockerfile/ignore-comment',
    severity: 'error',
    section: 'D0',
    summary: 'An ignore comment names known rules, gives a reason and silences something.',
    remediation:
      'write `# lint: ignore <rule> -- <reason>` directly above the instruction, and remove it when it silences nothing',
  },
  // Found while comments are applied (ignore.ts): only then is it known which of them did something.
  check: () => [],
};

export const formRules: readonly Rule[] = [
  unknownInstruction,
  refusedInstruction,
  unreadableShell,
  unknownShell,
  ignoreComment,
];
