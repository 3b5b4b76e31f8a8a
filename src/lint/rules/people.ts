import { offsetAt } from '../../dockerfile/index.ts';
import type { Rule } from '../rule.ts';
import { meaningOf } from '../scope.ts';
import { baseName } from '../shell/code.ts';
import { shippedStages } from './layers.ts';

/** Shapes of tokens that are secret wherever they stand. Never put what they match into a message. */
const tokens: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/],
  ['a GitLab token', /\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{20,}/],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{20,}/],
  ['an OpenAI key', /\bsk-(?:proj-)?[A-Za-z0-9]{32,}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{35}/],
  ['a Slack token', /\bxox[abeprs]-[A-Za-z0-9-]{10,}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
  ['a password in a URL', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@$"'{}]+:[^\s/@$"'{}]+@/i],
];

const secretName =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?|AUTH)$/i;
/** Values that stand for "none" or explain themselves as no secret. */
const harmlessValue = /^(?:|none|null|unset|false|true|[0-9]{1,4})$/i;

const secretInBuild: Rule = {
  info: {
    id: 'dockerfile/secret',
    severity: 'error',
    section: 'D8',
    summary: 'No secret in ENV, ARG, LABEL, RUN or a copied file: history and layers keep it.',
    remediation: 'use RUN --mount=type=secret at build time and inject secrets when the container starts',
  },
  *check({ model }) {
    for (const instruction of [...model.preamble, ...model.stages.flatMap((stage) => stage.instructions)]) {
      let reported = false;
      if (instruction.keyword === 'ENV' || instruction.keyword === 'ARG')
        for (const { name, value, offset } of instruction.declared) {
          if (!secretName.test(name)) continue;
          // An ARG without a default is there to be given the secret; its value stays in the history.
          if (instruction.keyword === 'ENV' && (value === undefined || harmlessValue.test(value.text.value))) continue;
          if (instruction.keyword === 'ARG' && value !== undefined && /^(?:true|false)$/i.test(value.text.value))
            continue;
          reported = true;
          yield {
            offset,
            subject: name,
            message: `${instruction.keyword} ${name} is named like a secret: expected none in the build, found ${value === undefined ? 'an argument to be filled' : 'a value'}`,
          };
        }
      for (const [what, pattern] of tokens) {
        const match = pattern.exec(instruction.code.value);
        if (match === null || reported) continue;
        reported = true;
        yield {
          offset: offsetAt(instruction.code, match.index),
          subject: what,
          message: `${instruction.keyword} holds ${what} (${match[0].length} characters)`,
        };
      }
      if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD')
        for (const word of instruction.words.slice(0, -1)) {
          const name = baseName(word.text.value);
          if (
            /^(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.git-credentials|\.env|\.pypirc|\.dockerconfigjson|kubeconfig)$/.test(
              name,
            ) ||
            /(?:^|\/)\.docker\/config\.json$|(?:^|\/)\.aws\/credentials$/.test(word.text.value)
          )
            yield {
              offset: word.offset,
              subject: word.text.value,
              message: `${instruction.keyword} takes ${word.text.value}: expected no file that holds credentials`,
            };
        }
    }
  },
};

const sudo: Rule = {
  info: {
    id: 'dockerfile/sudo',
    severity: 'error',
    section: 'D8',
    summary: 'No sudo: the user of a RUN is set by USER.',
    remediation: 'drop sudo and set USER around the instruction that needs it',
  },
  *check(lint) {
    for (const { flat } of lint.scripts)
      for (const one of flat.commands) {
        const name = one.command.words
          .map((word) => baseName(word.value.value))
          .find((text) => text === 'sudo' || text === 'doas');
        if (
          name !== undefined &&
          one.command.words[0] !== undefined &&
          (baseName(one.command.words[0].value.value) === name || one.command.words[0].value.value !== one.name)
        )
          yield { offset: one.offset, subject: name, message: `${name} in the build: expected USER` };
      }
  },
};

const rootUser: Rule = {
  info: {
    id: 'dockerfile/root-user',
    severity: 'warning',
    section: 'D8',
    summary:
      'The image does not end as root. Without any USER the base decides, which the contract checks on the image.',
    remediation: 'end with a numeric non-root USER, e.g. USER 1001',
  },
  *check({ model }) {
    const shipped = shippedStages(model);
    const last = shipped
      .flatMap((stage) => stage.instructions.map((instruction) => ({ stage, instruction })))
      .findLast(({ instruction }) => instruction.keyword === 'USER' && !instruction.onbuild);
    const word = last?.instruction.words[0];
    if (last === undefined || word === undefined) return;
    const text = word.text.value.replace(
      /\$\{?([A-Za-z_]\w*)[^}]*\}?/g,
      (all, name: string) => meaningOf(model, last.stage, last.instruction, name)?.value?.text.value ?? all,
    );
    if (/^(?:root|0+)(?::|$)/.test(text))
      yield {
        offset: last.instruction.offset,
        subject: text,
        message: `the last USER is ${text}: expected a non-root user`,
      };
  },
};

export const peopleRules: readonly Rule[] = [secretInBuild, sudo, rootUser];
