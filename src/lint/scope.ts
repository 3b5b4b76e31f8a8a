import { globalArguments, type DockerWord, type Instruction, type Model, type Stage } from '../dockerfile/index.ts';

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

const scopes = new WeakMap<Stage, Scope>();

/** The stage's own names and directories, read once: a search for every use would be quadratic. */
function scopeOf(model: Model, stage: Stage): Scope {
  if (!scopes.has(stage)) {
    const globals = globalArguments(model);
    // Parents come earlier in the file.
    for (const one of model.stages) readScope(model, one, globals);
  }
  return scopes.get(stage) ?? { names: new Map(), directories: [] };
}

function readScope(model: Model, stage: Stage, globals: ReturnType<typeof globalArguments>): void {
  const names = new Map<string, Since<Meaning>[]>();
  const directories: Since<string>[] = [];
  scopes.set(stage, { names, directories });
  let directory = stage.parent === undefined ? '/' : workdirOf(model, stage.parent);
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
  for (let at: Stage | undefined = stage; at !== undefined; at = at.parent) {
    const found = scopeOf(model, at)
      .names.get(name)
      ?.findLast(({ offset }) => offset < until.offset);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** workdirOf returns the working directory before `until`, or at the end; '/' where no WORKDIR is. */
export function workdirOf(model: Model, stage: Stage, until?: Instruction): string {
  for (let at: Stage | undefined = stage; at !== undefined; at = at.parent) {
    const found = scopeOf(model, at).directories.findLast(({ offset }) => offset < (until?.offset ?? Infinity));
    if (found !== undefined) return found.value;
  }
  return '/';
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
