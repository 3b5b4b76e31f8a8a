import type { Finding, RuleInfo } from '../core/finding.ts';
import { allInstructions, type Instruction, type Model, type Script, type Stage } from './model.ts';
import { flatten, type Flattened } from './shell/flatten.ts';

/** Problem is a finding before the linter adds what every finding of the rule shares. */
export interface Problem {
  readonly offset: number;
  readonly message: string;
  readonly subject: string;
}

export interface Rule {
  readonly info: RuleInfo;
  readonly check: (lint: Lint) => Iterable<Problem>;
}

/** One script of the Dockerfile with its commands. */
export interface LintScript {
  readonly instruction: Instruction;
  readonly stage: Stage | undefined;
  readonly script: Script;
  readonly flat: Flattened;
}

/** Lint is what rules look at: the model, and every script of it flattened once. */
export interface Lint {
  readonly model: Model;
  readonly scripts: readonly LintScript[];
  /** Scripts of RUN only. */
  readonly runs: readonly LintScript[];
}

export function lintOf(model: Model): Lint {
  const scripts: LintScript[] = [];
  for (const { instruction, stage } of allInstructions(model)) {
    if (instruction.script === undefined) continue;
    scripts.push({ instruction, stage, script: instruction.script, flat: flatten(instruction.script.list) });
  }
  return { model, scripts, runs: scripts.filter(({ script }) => script.when === 'run') };
}

export function toFinding(rule: RuleInfo, model: Model, problem: Problem): Finding {
  return {
    rule: rule.id,
    severity: rule.severity,
    message: problem.message,
    subject: problem.subject,
    section: rule.section,
    remediation: rule.remediation,
    location: { $case: 'file', file: model.file, ...model.position(problem.offset) },
  };
}

/** shorten keeps messages to one line of a terminal. */
export function shorten(text: string, limit = 80): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}
