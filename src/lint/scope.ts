import { history, type Instruction, type Model, type Stage } from './model.ts';
import { declared, globalArguments } from './references.ts';
import type { DockerWord } from './words.ts';

/** What a name means at one instruction of a stage. */
export interface Meaning {
  readonly kind: 'argument' | 'environment';
  /** The literal or default, undefined when there is none. */
  readonly value: DockerWord | undefined;
  /** Whoever builds can set another value with --build-arg. */
  readonly overridable: boolean;
}

/**
 * meaningOf resolves a name as RUN sees it: ENV beats ARG, an ARG without a default takes the global
 * one's, child stages inherit from their parents. Undefined: neither is declared up to there.
 */
export function meaningOf(model: Model, stage: Stage, until: Instruction, name: string): Meaning | undefined {
  let argument: Meaning | undefined;
  let environment: Meaning | undefined;
  for (const instruction of history(stage, until)) {
    if (instruction.keyword !== 'ARG' && instruction.keyword !== 'ENV') continue;
    for (const entry of declared(instruction)) {
      if (entry.name !== name) continue;
      if (instruction.keyword === 'ARG') {
        const value = entry.value ?? globalArguments(model).get(name)?.value;
        argument = { kind: 'argument', value, overridable: true };
      } else {
        const overridable = (entry.value?.variables ?? []).some(
          (variable) => meaningOf(model, stage, instruction, variable.name)?.overridable === true,
        );
        environment = { kind: 'environment', value: entry.value, overridable };
      }
    }
  }
  return environment ?? argument;
}

/** workdirOf gives the working directory before `until`; '/' when nothing says. */
export function workdirOf(stage: Stage, until?: Instruction): string {
  let directory = '/';
  for (const instruction of history(stage, until)) {
    const path = instruction.keyword === 'WORKDIR' ? instruction.words[0]?.text.value : undefined;
    if (path !== undefined) directory = resolvePath(directory, path);
  }
  return directory;
}

/** resolvePath joins as `cd` would, without looking at links. Variables stay as they are written. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
