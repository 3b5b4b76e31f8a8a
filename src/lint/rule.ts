import type { Finding, RuleInfo } from '../core/finding.ts';
import { allInstructions, type DockerWord, type Instruction, type Model, type Stage } from '../dockerfile/index.ts';
import { scriptsOf, type Script, type Unread } from './scripts.ts';
import type { Word } from './shell/ast.ts';
import type { Flat, Flattened } from './shell/flat.ts';
import { flatten } from './shell/flatten.ts';

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
  readonly scriptsOf: (instruction: Instruction) => readonly LintScript[];
  /** Code that no rule saw. */
  readonly unread: readonly (Unread & { readonly instruction: Instruction })[];
}

export function lintOf(model: Model): Lint {
  const byInstruction = new Map<Instruction, LintScript[]>();
  const unread: Lint['unread'][number][] = [];
  for (const { instruction, stage } of allInstructions(model)) {
    const own: LintScript[] = [];
    for (const script of scriptsOf(instruction)) {
      if (!('list' in script)) {
        unread.push({ ...script, instruction });
        continue;
      }
      const flat = flatten(script.list, script.options);
      own.push({ instruction, stage, script, flat });
      for (const one of flat.unreadable) unread.push({ ...one, instruction });
    }
    if (own.length > 0) byInstruction.set(instruction, own);
  }
  const scripts = [...byInstruction.values()].flat();
  const runs = scripts.filter(({ script }) => script.when === 'run');
  return { model, scripts, runs, scriptsOf: (instruction) => byInstruction.get(instruction) ?? [], unread };
}

/** inStages returns the instructions of every stage that have one of the keywords; of all kinds without any. */
export function* inStages(model: Model, ...keywords: string[]): Generator<{ stage: Stage; instruction: Instruction }> {
  for (const stage of model.stages)
    for (const instruction of stage.instructions)
      if (keywords.length === 0 || keywords.includes(instruction.keyword)) yield { stage, instruction };
}

/** sourcesOf returns what COPY or ADD takes: all words but the last. */
export function* sourcesOf(
  model: Model,
  ...keywords: string[]
): Generator<{ instruction: Instruction; word: DockerWord }> {
  for (const { instruction } of inStages(model, ...keywords))
    for (const word of instruction.words.slice(0, -1)) yield { instruction, word };
}

/** commandRule is a rule about each command of RUN by itself. */
export function commandRule(info: RuleInfo, check: (flat: Flat) => Omit<Problem, 'offset'> | undefined): Rule {
  return {
    info,
    *check({ runs }) {
      for (const { flat } of runs)
        for (const one of flat.commands) {
          const problem = check(one);
          if (problem !== undefined) yield { offset: one.offset, ...problem };
        }
    },
  };
}

/** texts returns words without their quotes. */
export function texts(words: readonly Word[]): string[] {
  return words.map((word) => word.value.value);
}

export function toFinding(rule: RuleInfo, file: string, model: Model, problem: Problem): Finding {
  return {
    rule: rule.id,
    severity: rule.severity,
    message: problem.message,
    subject: problem.subject,
    section: rule.section,
    remediation: rule.remediation,
    location: { $case: 'file', file, ...model.position(problem.offset) },
  };
}

/** shorten keeps messages to one line of a terminal. */
export function shorten(text: string, limit = 80): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}
