import { globalArguments, type DockerWord, type Instruction, type Model, type Stage } from '../dockerfile/index.ts';
import { stageTree, type StageTree } from './stage-tree.ts';

/** What a name means at one instruction of a stage. */
export interface Meaning {
  readonly kind: 'argument' | 'environment';
  /** The literal or default, undefined when there is none. */
  readonly value: DockerWord | undefined;
  /** --build-arg can set another value. */
  readonly overridable: boolean;
}

/** One value of a name or of WORKDIR, and the offset of the instruction behind which it holds. */
interface Since<T> {
  readonly offset: number;
  readonly value: T;
}

interface Scope {
  readonly names: ReadonlyMap<string, readonly Since<Meaning>[]>;
  readonly directories: readonly Since<string>[];
}

interface ModelScopes {
  readonly byStage: ReadonlyMap<Stage, Scope>;
  readonly tree: StageTree;
}

const scopes = new WeakMap<Model, ModelScopes>();

/** Names and directories of every stage, read once: a search for every use would be quadratic. */
function scopesOf(model: Model): ModelScopes {
  const known = scopes.get(model);
  if (known !== undefined) return known;
  const byStage = new Map<Stage, Scope>();
  const read = { byStage, tree: stageTree(model) };
  scopes.set(model, read);
  const globals = globalArguments(model);
  // Parents come earlier in the file.
  for (const stage of model.stages) readScope(model, stage, globals, byStage);
  return read;
}

/** The last value that holds before `until`; values stand in the file's order. */
function lastBefore<T>(values: readonly Since<T>[], until: number): Since<T> | undefined {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle]?.offset ?? Infinity) < until) low = middle + 1;
    else high = middle;
  }
  return values[low - 1];
}

function readScope(
  model: Model,
  stage: Stage,
  globals: ReturnType<typeof globalArguments>,
  byStage: Map<Stage, Scope>,
): void {
  const names = new Map<string, Since<Meaning>[]>();
  let directory = stage.parent === undefined ? '/' : (byStage.get(stage.parent)?.directories.at(-1)?.value ?? '/');
  const directories: Since<string>[] = [{ offset: -1, value: directory }];
  byStage.set(stage, { names, directories });
  for (const instruction of stage.instructions) {
    const { keyword, offset, onbuild } = instruction;
    if (onbuild) continue;
    const path = keyword === 'WORKDIR' ? instruction.words[0]?.text.value : undefined;
    if (path !== undefined) directories.push({ offset, value: (directory = resolvePath(directory, path)) });
    if (keyword !== 'ARG' && keyword !== 'ENV') continue;
    for (const { name, value } of instruction.declared) {
      const before = meaningOf(model, stage, instruction, name);
      if (keyword === 'ARG' && before?.kind === 'environment') continue;
      const meaning: Meaning =
        keyword === 'ARG'
          ? { kind: 'argument', value: value ?? globals.get(name)?.value, overridable: true }
          : {
              kind: 'environment',
              value,
              overridable: (value?.variables ?? []).some(
                (variable) => meaningOf(model, stage, instruction, variable.name)?.overridable === true,
              ),
            };
      const all = names.get(name);
      if (all === undefined) names.set(name, [{ offset, value: meaning }]);
      else all.push({ offset, value: meaning });
    }
  }
}

/**
 * meaningOf resolves a name as RUN sees it: ENV beats ARG, an ARG without a default takes the global
 * one's, child stages inherit from their parents. Undefined: neither is declared up to there.
 */
export function meaningOf(model: Model, stage: Stage, until: Instruction, name: string): Meaning | undefined {
  const { byStage, tree } = scopesOf(model);
  for (const one of tree.declaring(name, stage)) {
    const found = lastBefore(byStage.get(one)?.names.get(name) ?? [], until.offset);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** workdirOf returns the working directory before `until`, or at the end; '/' where no WORKDIR is. */
export function workdirOf(model: Model, stage: Stage, until?: Instruction): string {
  const directories = scopesOf(model).byStage.get(stage)?.directories ?? [];
  return lastBefore(directories, until?.offset ?? Infinity)?.value ?? '/';
}

/** isAncestor: `stage` is `ancestor` or stands on it. */
export function isAncestor(model: Model, ancestor: Stage, stage: Stage): boolean {
  return scopesOf(model).tree.isAncestor(ancestor, stage);
}

/** PATH_MAX, and more levels than any image has: what lies deeper counts as the directory at that level. */
const longestPath = 4096;
const deepest = 64;

/** resolvePath joins as `cd` would, without looking at links. Variables stay as they are written. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.slice(0, deepest).join('/')}`.slice(0, longestPath);
}
