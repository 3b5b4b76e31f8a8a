import type { StepName } from './steps.ts';

interface Instruction {
  /** 1-based line on which it begins. */
  readonly line: number;
  /** `RUN make`: continuations joined, comments dropped, blanks collapsed. */
  readonly text: string;
  /** Name after AS, or the stage's number, as BuildKit (`stage-1`) and Buildah (`2`) call it. */
  readonly stages: readonly string[];
}

const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();

function instructions(dockerfile: string): Instruction[] {
  const found: Instruction[] = [];
  let stages: string[] = [];
  let count = 0;
  let open: { line: number; parts: string[] } | undefined;
  dockerfile.split('\n').forEach((raw, index) => {
    const text = raw.trim();
    if (text.startsWith('#') || (text === '' && open === undefined)) return;
    open ??= { line: index + 1, parts: [] };
    open.parts.push(text.replace(/\\$/, ''));
    if (text.endsWith('\\')) return;
    const whole = squeeze(open.parts.join(' '));
    if (/^FROM /i.test(whole)) {
      const name = / AS (\S+)$/i.exec(whole)?.[1];
      stages = [`stage-${count}`, String(count + 1), ...(name === undefined ? [] : [name])];
      count += 1;
    }
    found.push({ line: open.line, text: whole, stages });
    open = undefined;
  });
  return found;
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
