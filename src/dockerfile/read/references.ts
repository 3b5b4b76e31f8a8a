import type { Declared, Instruction, Model, Stage } from './model.ts';
import { mountsOf } from './mounts.ts';
import type { DockerWord } from './words.ts';

/** A place where the Dockerfile names an image. */
export interface Reference {
  readonly instruction: Instruction;
  readonly stage: Stage;
  /** `FROM`, `COPY --from`, `RUN --mount from`. */
  readonly place: string;
  readonly word: DockerWord;
}

/** Arguments that BuildKit sets by itself (https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope). */
export const platformArguments: ReadonlySet<string> = new Set([
  'TARGETPLATFORM',
  'TARGETOS',
  'TARGETARCH',
  'TARGETVARIANT',
  'BUILDPLATFORM',
  'BUILDOS',
  'BUILDARCH',
  'BUILDVARIANT',
  'TARGETSTAGE',
]);

const firstByName = new WeakMap<Model, ReadonlyMap<string, number>>();

/** Of each name of a stage, in lower case, the first stage that has it. */
function stageNames(model: Model): ReadonlyMap<string, number> {
  const known = firstByName.get(model);
  if (known !== undefined) return known;
  const names = new Map<string, number>();
  for (const { name, index } of model.stages) {
    const key = name?.toLowerCase();
    if (key !== undefined && !names.has(key)) names.set(key, index);
  }
  firstByName.set(model, names);
  return names;
}

/** isStage: an earlier stage by name (any case) or number, or by a name that only the platform completes. */
function isStage(model: Model, stage: Stage, word: DockerWord): boolean {
  const text = word.text.value.toLowerCase();
  if (/^\d+$/.test(text)) return Number(text) < stage.index;
  const names = stageNames(model);
  if ((names.get(text) ?? Infinity) < stage.index) return true;
  if (word.variables.length === 0 || !word.variables.every((v) => platformArguments.has(v.name))) return false;
  const pattern = text.replace(/\$\{[^}]*\}|\$\w+/g, '\0').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const wanted = new RegExp(`^${pattern.replaceAll('\0', '[a-z0-9_.-]+')}$`);
  for (const [name, index] of names) if (index < stage.index && wanted.test(name)) return true;
  return false;
}

/** imageReferences returns every place that names an image from outside; stages and `scratch` are left out. */
export function* imageReferences(model: Model): Generator<Reference> {
  for (const stage of model.stages) {
    if (stage.base !== undefined && external(model, stage, stage.base))
      yield { instruction: stage.from, stage, place: 'FROM', word: stage.base };
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') {
        const from = instruction.flags.find((flag) => flag.name === 'from');
        if (from !== undefined && external(model, stage, from.value))
          yield { instruction, stage, place: `${instruction.keyword} --from`, word: from.value };
      }
      if (instruction.keyword === 'RUN')
        for (const mount of mountsOf(instruction, model.escape)) {
          const word = mount.get('from');
          if (word !== undefined && external(model, stage, word))
            yield { instruction, stage, place: 'RUN --mount from', word };
        }
    }
  }
}

function external(model: Model, stage: Stage, word: DockerWord): boolean {
  const text = word.text.value.toLowerCase();
  return text !== 'scratch' && text !== '' && !isStage(model, stage, word);
}

/** The pieces of an image reference as it is written, without judging its grammar. */
export function splitReference(text: string): { name: string; tag?: string | undefined; digest?: string | undefined } {
  const at = text.indexOf('@');
  const before = at < 0 ? text : text.slice(0, at);
  const colon = before.indexOf(':', before.lastIndexOf('/') + 1);
  return {
    name: colon < 0 ? before : before.slice(0, colon),
    tag: colon < 0 ? undefined : before.slice(colon + 1),
    digest: at < 0 ? undefined : text.slice(at + 1),
  };
}

interface GlobalArgument extends Declared {
  /** The default with the defaults before it filled in. */
  readonly text: string | undefined;
}

const globals = new WeakMap<Model, ReadonlyMap<string, GlobalArgument>>();

/** globalArguments returns the ARGs before the first FROM, with their defaults. */
export function globalArguments(model: Model): ReadonlyMap<string, GlobalArgument> {
  const known = globals.get(model);
  if (known !== undefined) return known;
  const found = new Map<string, GlobalArgument>();
  for (const instruction of model.preamble)
    if (instruction.keyword === 'ARG')
      for (const one of instruction.declared)
        found.set(one.name, { ...one, text: one.value === undefined ? undefined : filled(one.value, found) });
  globals.set(model, found);
  return found;
}

/** Longer than any image reference: arguments that double each other are left as they are written. */
const longest = 4096;

function filled(word: DockerWord, known: ReadonlyMap<string, GlobalArgument>): string {
  const text = word.text.value.replace(
    /\$\{([A-Za-z_]\w*)(?::?-([^}]*))?[^}]*\}|\$([A-Za-z_]\w*)/g,
    (all: string, braced: string | undefined, fallback: string | undefined, plain: string | undefined) =>
      known.get(braced ?? plain ?? '')?.text ?? fallback ?? all,
  );
  return text.length > longest ? word.text.value : text;
}

/** expandGlobals fills in the defaults of global ARGs; what has no default stays as it is written. */
export function expandGlobals(model: Model, word: DockerWord): string {
  return filled(word, globalArguments(model));
}
