import { lineage, type Instruction, type Model, type Stage } from '../../dockerfile/index.ts';
import { isRemote, options } from '../shell/downloads.ts';
import type { Flat } from '../shell/flat.ts';
import { resolvePath, workdirOf } from '../scope.ts';
import { sourcesOf, texts, type Lint, type Problem, type Rule } from '../rule.ts';
import { Links } from './links.ts';

/** Commands of a RUN; none of another instruction. */
const flatOf = (lint: Lint, instruction: Instruction): readonly Flat[] =>
  instruction.keyword === 'RUN' ? lint.scriptsOf(instruction).flatMap(({ flat }) => flat.commands) : [];

/** Stages whose layers end up in the last image. */
export function shippedStages(model: Model): readonly Stage[] {
  const last = model.stages.at(-1);
  return last === undefined ? [] : lineage(last);
}

/** Links that `ln -s` makes: target path → what it points to. */
function linksOf(flat: Flat, directory: string): { path: string; target: string }[] {
  if (flat.name !== 'ln') return [];
  const { flags, rest, values } = options(flat.args, new Set(['-t', '--target-directory', '-S', '--suffix']));
  if (!flags.has('-s') && !flags.has('--symbolic')) return [];
  const into = values.get('-t') ?? values.get('--target-directory');
  if (into !== undefined)
    return rest.map((target) => ({ target, path: resolvePath(directory, `${into}/${lastPart(target)}`) }));
  const path = rest.at(-1);
  const [target] = rest;
  if (path === undefined || target === undefined || rest.length < 2) return [];
  const made = [{ target, path: resolvePath(directory, path) }];
  // `ln -s a b dir/` and `ln -s a dir/` make the link inside the directory.
  return path.endsWith('/') || rest.length > 2
    ? rest.slice(0, -1).map((each) => ({ target: each, path: resolvePath(directory, `${path}/${lastPart(each)}`) }))
    : made;
}

const lastPart = (path: string): string => path.replace(/\/+$/, '').replace(/^.*\//, '');

/** `cd /x &&` moves the relative paths behind it. */
function* withDirectory(commands: readonly Flat[], start: string): Generator<{ flat: Flat; directory: string }> {
  let directory = start;
  for (const flat of commands) {
    if (flat.name === 'cd' && flat.args[0] !== undefined) directory = resolvePath(directory, flat.args[0].value.value);
    yield { flat, directory };
  }
}

const copyOverSymlink: Rule = {
  info: {
    id: 'dockerfile/copy-over-symlink',
    severity: 'error',
    section: 'D6',
    summary:
      'No COPY or ADD onto a path that an earlier instruction made a symlink: it would follow the link and overwrite its target.',
    remediation: 'remove the link first, or copy to another path',
  },
  *check(lint) {
    const { stages } = lint.model;
    const links = new Links();
    const children = new Map<Stage | undefined, Stage[]>();
    for (const stage of stages) {
      const siblings = children.get(stage.parent);
      if (siblings === undefined) children.set(stage.parent, [stage]);
      else siblings.push(stage);
    }
    // A walk through the stages that stand on each other: each goes on from where its parent ended.
    const stack: (Stage | number)[] = (children.get(undefined) ?? []).toReversed();
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (typeof top === 'number') {
        links.restore(top);
        continue;
      }
      stack.push(links.mark(), ...(children.get(top) ?? []).toReversed());
      for (const instruction of top.instructions)
        if (!instruction.onbuild) yield* overLinks(lint, top, instruction, links);
    }
  },
};

/** Follows one instruction, and reports the links that it writes through. */
function* overLinks(lint: Lint, stage: Stage, instruction: Instruction, links: Links): Generator<Problem> {
  const start = workdirOf(lint.model, stage, instruction);
  for (const { flat, directory } of withDirectory(flatOf(lint, instruction), start)) {
    if (links.size > 0 && (flat.name === 'rm' || flat.name === 'unlink'))
      for (const path of texts(flat.args)) links.remove(resolvePath(directory, path));
    for (const { path, target } of linksOf(flat, directory)) links.set(path, target);
  }
  if (links.size === 0 || (instruction.keyword !== 'COPY' && instruction.keyword !== 'ADD')) return;
  const words = instruction.words.map((word) => word.text.value);
  const target = words.at(-1);
  if (target === undefined) return;
  for (const path of [target, ...words.slice(0, -1).map((source) => `${target}/${lastPart(source)}`)]) {
    const absolute = resolvePath(start, path);
    const link = links.get(absolute);
    if (link === undefined) continue;
    yield {
      offset: instruction.offset,
      subject: absolute,
      message: `${instruction.keyword} writes ${absolute}: expected a file or nothing there, found a symlink to ${link}, which would be overwritten instead`,
    };
  }
}

const makers = new Set(
  'mkdir install cp tar unzip git useradd adduser npm uv mv touch ln rsync python python3 curl wget'.split(' '),
);

/** Recursive chown, chgrp or chmod: its paths. */
function recursivePaths(flat: Flat): string[] {
  if (!['chown', 'chmod', 'chgrp'].includes(flat.name)) return [];
  const { flags, rest } = options(flat.args, new Set(['--reference', '--from']));
  if (!flags.has('-R') && !flags.has('--recursive')) return [];
  return rest.slice(flags.has('--reference') ? 0 : 1);
}

/** A path and every directory above it. */
function withParents(path: string): string[] {
  const found = [path, '/'];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) found.push(path.slice(0, at));
  return found;
}

/** Paths that the instruction leaves files at. */
function filledPaths(lint: Lint, stage: Stage, instruction: Instruction): string[] {
  const directory = workdirOf(lint.model, stage, instruction);
  if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') {
    const target = instruction.words.at(-1)?.text.value;
    return target === undefined ? [] : [resolvePath(directory, target)];
  }
  return flatOf(lint, instruction)
    .filter((flat) => makers.has(flat.name) && flat.name !== 'ln')
    .flatMap((flat) => texts(flat.args).filter((text) => text.includes('/')))
    .map((text) => resolvePath(directory, text.replace(/^--?[a-z-]+=/, '')));
}

const lateRecursive: Rule = {
  info: {
    id: 'dockerfile/late-recursive-change',
    severity: 'error',
    section: 'D6',
    summary:
      'No recursive chown, chgrp or chmod over what earlier layers hold: it copies the whole tree into a new layer.',
    remediation: 'use COPY --chown and --chmod, or set owner and mode in the RUN that makes the files',
  },
  *check(lint) {
    const shipped = shippedStages(lint.model);
    // Of each directory the first instruction that leaves something in it.
    const filled = new Map<string, Instruction>();
    for (const stage of shipped)
      for (const instruction of stage.instructions)
        if (!instruction.onbuild)
          for (const path of filledPaths(lint, stage, instruction).flatMap(withParents))
            if (!filled.has(path)) filled.set(path, instruction);
    for (const stage of shipped)
      for (const instruction of stage.instructions) {
        const commands = flatOf(lint, instruction);
        const made = new Set<string>();
        for (const { flat, directory } of withDirectory(commands, workdirOf(lint.model, stage, instruction))) {
          if (makers.has(flat.name))
            for (const word of texts(flat.args))
              for (const path of withParents(resolvePath(directory, word))) made.add(path);
          for (const text of recursivePaths(flat)) {
            const path = resolvePath(directory, text);
            const here = made.has(path);
            const first = filled.get(path);
            const earlier = first !== undefined && first.offset < instruction.offset ? first : undefined;
            if (here && earlier === undefined) continue;
            const found =
              earlier === undefined
                ? 'a tree that this RUN did not make'
                : `files that the ${earlier.keyword} in line ${earlier.firstLine} left there`;
            yield {
              offset: flat.offset,
              subject: path,
              message: `${flat.name} -R ${text}: expected files made in the same RUN, found ${found}`,
            };
          }
        }
      }
  },
};

const copyContext: Rule = {
  info: {
    id: 'dockerfile/copy-context',
    severity: 'error',
    section: 'D6',
    summary: 'Only the files that are needed are copied, never the whole context.',
    remediation: 'name the files and directories',
  },
  *check({ model }) {
    for (const { instruction, word } of sourcesOf(model, 'COPY', 'ADD')) {
      const source = word.text.value;
      if (instruction.flags.some((flag) => flag.name === 'from')) continue;
      if (/^(?:\/|\.\/?|\.?\/?\*+|\.\/\.)$/.test(source))
        yield {
          offset: word.offset,
          subject: source,
          message: `${instruction.keyword} ${source} takes the whole context: expected named files`,
        };
    }
  },
};

const addLocal: Rule = {
  info: {
    id: 'dockerfile/add-local',
    severity: 'warning',
    section: 'D6',
    summary: 'Files of the context come by COPY: ADD also fetches and unpacks, depending on the name.',
    remediation: 'use COPY, and unpack in a RUN where that is meant',
  },
  *check({ model }) {
    for (const { word } of sourcesOf(model, 'ADD')) {
      const source = word.text.value;
      if (!isRemote(source) && !source.startsWith('<<'))
        yield { offset: word.offset, subject: source, message: `ADD takes the local file ${source}: expected COPY` };
    }
  },
};

export const layerRules: readonly Rule[] = [copyOverSymlink, lateRecursive, copyContext, addLocal];
