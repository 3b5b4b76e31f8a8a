import { allInstructions, readDockerfile } from '../dockerfile/index.ts';
import type { StepName } from './steps.ts';

const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Each instruction with the names of its stage: after AS, and its number as BuildKit (`stage-1`) and Buildah (`2`) count. */
function instructions(dockerfile: string): { line: number; text: string; stages: readonly (string | undefined)[] }[] {
  return [...allInstructions(readDockerfile(dockerfile))].map(({ instruction, stage }) => ({
    line: instruction.firstLine,
    text: squeeze(instruction.written),
    stages: stage === undefined ? [] : [stage.name, `stage-${stage.index}`, String(stage.index + 1)],
  }));
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/**
 * locateStep returns the Dockerfile line of a step, or undefined. Engines print the instruction with
 * variables filled in, so the longest common beginning within the step's stage wins.
 */
export function locateStep(dockerfile: string, step: StepName): number | undefined {
  const wanted = squeeze(step.name);
  const keyword = /^[A-Z]+ /i.exec(wanted)?.[0];
  if (keyword === undefined) return undefined;
  const all = instructions(dockerfile).filter(({ text }) => text.toUpperCase().startsWith(keyword.toUpperCase()));
  const inStage = all.filter(({ stages }) => step.stage === undefined || stages.includes(step.stage));
  let best: { line: number; score: number } | undefined;
  for (const { line, text } of inStage.length === 0 ? all : inStage) {
    const score = commonPrefix(text.slice(keyword.length), wanted.slice(keyword.length));
    if (best === undefined || score > best.score) best = { line, score };
  }
  return best?.line;
}
