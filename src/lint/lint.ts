import type { Finding, RuleInfo } from '../core/finding.ts';
import { AppError } from '../errors/index.ts';
import { readDockerfile } from '../dockerfile/index.ts';
import { applyIgnores } from './ignore.ts';
import { lintOf, toFinding, type Rule } from './rule.ts';
import { architectureRules } from './rules/architecture.ts';
import { argumentRules } from './rules/arguments.ts';
import { unverifiedDownload } from './rules/downloads.ts';
import { formRules, ignoreComment } from './rules/form.ts';
import { unpinnedGit } from './rules/git.ts';
import { layerRules } from './rules/layers.ts';
import { packageRules } from './rules/packages.ts';
import { peopleRules } from './rules/people.ts';
import { pinRules } from './rules/pins.ts';
import { unverifiedRepository } from './rules/repositories.ts';
import { pipefail, pipeToShell } from './rules/shell-pipes.ts';
import { insecureTransport } from './rules/transport.ts';

const rules: readonly Rule[] = [
  ...formRules,
  ...pinRules,
  pipeToShell,
  unverifiedDownload,
  unpinnedGit,
  insecureTransport,
  ...packageRules,
  unverifiedRepository,
  ...architectureRules,
  ...argumentRules,
  ...layerRules,
  pipefail,
  ...peopleRules,
];

/** Every rule of the Dockerfile linter, in the order of its sections. */
export const lintRules: readonly RuleInfo[] = rules.map(({ info }) => info);

export interface LintResult {
  /** By line, then column, then rule. */
  readonly findings: readonly Finding[];
  /** What an ignore comment in the file silenced, with its reason. */
  readonly suppressed: readonly { readonly finding: Finding; readonly justification: string }[];
}

/** Longest Dockerfile that is read, in bytes. */
export const maxDockerfileBytes = 256 * 1024;

const position = ({ location }: Finding): { line: number; column: number } =>
  location.$case === 'file' ? location : { line: 0, column: 0 };

function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [position(a), position(b)];
  return left.line - right.line || left.column - right.column || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}

/**
 * lintDockerfile holds one Dockerfile against every rule. `file` is its name in findings. Throws
 * `dockerfile/not-a-dockerfile` for text without FROM and for binary content.
 */
export function lintDockerfile(file: string, text: string): LintResult {
  const notDockerfile = (found: string): AppError =>
    new AppError('dockerfile/not-a-dockerfile', 'usage', 'this is not a Dockerfile', {
      where: { file },
      expected: 'text with at least one FROM',
      found,
    });
  if (text.includes('\0')) throw notDockerfile('binary content');
  const model = readDockerfile(text);
  if (model.stages.length === 0) throw notDockerfile(text.trim() === '' ? 'an empty file' : 'no FROM');
  const lint = lintOf(model);
  const found = rules.flatMap((rule) =>
    [...rule.check(lint)].map((problem) => toFinding(rule.info, file, model, problem)),
  );
  const items = found.map((finding) => ({ finding, rule: finding.rule, line: position(finding).line }));
  const applied = applyIgnores(model, items, new Set(lintRules.map(({ id }) => id)));
  const wrong = applied.problems.map((problem) => toFinding(ignoreComment.info, file, model, problem));
  return {
    findings: [...applied.kept.map(({ finding }) => finding), ...wrong].sort(byPlace),
    suppressed: applied.suppressed.map(({ item, reason }) => ({ finding: item.finding, justification: reason })),
  };
}
