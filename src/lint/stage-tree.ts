import type { Model, Stage } from '../dockerfile/index.ts';

/** StageTree answers which stage stands on which without walking up a chain of them. */
export interface StageTree {
  readonly isAncestor: (ancestor: Stage, stage: Stage) => boolean;
  /** The stage and its ancestors that declare a name by ARG or ENV, the nearest first. */
  readonly declaring: (name: string, stage: Stage) => Generator<Stage>;
}

export function stageTree({ stages }: Model): StageTree {
  const children = new Map<Stage | undefined, Stage[]>();
  for (const stage of stages) {
    const siblings = children.get(stage.parent);
    if (siblings === undefined) children.set(stage.parent, [stage]);
    else siblings.push(stage);
  }
  // Numbers of a walk through the forest: a stage stands on those whose span holds its own.
  const spans = new Map<Stage, { begin: number; end: number }>();
  const stack: { stage: Stage; left: boolean }[] = [];
  let count = 0;
  for (const root of children.get(undefined) ?? []) {
    stack.push({ stage: root, left: false });
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { stage } = top;
      const span = spans.get(stage);
      if (top.left && span !== undefined) {
        span.end = count++;
        continue;
      }
      spans.set(stage, { begin: count++, end: Infinity });
      stack.push({ stage, left: true });
      for (const child of children.get(stage) ?? []) stack.push({ stage: child, left: false });
    }
  }
  const isAncestor = (ancestor: Stage, stage: Stage): boolean => {
    const [outer, inner] = [spans.get(ancestor), spans.get(stage)];
    return outer !== undefined && inner !== undefined && outer.begin <= inner.begin && inner.end <= outer.end;
  };
  const byName = new Map<string, Stage[]>();
  for (const stage of stages)
    for (const instruction of stage.instructions) {
      if (instruction.onbuild || (instruction.keyword !== 'ARG' && instruction.keyword !== 'ENV')) continue;
      for (const { name } of instruction.declared) {
        const all = byName.get(name);
        if (all === undefined) byName.set(name, [stage]);
        else if (all.at(-1) !== stage) all.push(stage);
      }
    }
  function* declaring(name: string, stage: Stage): Generator<Stage> {
    const all = byName.get(name) ?? [];
    let at = all.length - 1;
    while (at >= 0 && (all[at]?.index ?? 0) > stage.index) at -= 1;
    for (; at >= 0; at--) {
      const one = all[at];
      if (one !== undefined && isAncestor(one, stage)) yield one;
    }
  }
  return { isAncestor, declaring };
}
