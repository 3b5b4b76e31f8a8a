import { cutDockerfile } from './cut.ts';
import { instructionOf } from './instruction.ts';
import type { Instruction, Model, Stage } from './model.ts';
import { lineIndex } from './text.ts';

const defaultShell: readonly string[] = ['/bin/sh', '-c'];
const windowsShell: readonly string[] = ['cmd', '/S', '/C'];

/** The shell of an image from outside, by its name: no more is known of it. */
function shellOf({ base, from }: Stage): readonly string[] {
  const platform = from.flags.find(({ name }) => name === 'platform')?.value.text.value ?? '';
  const name = base?.text.value ?? '';
  return /^windows\b/i.test(platform) || /(?:^|[/:_-])windows|nanoserver|servercore/i.test(name)
    ? windowsShell
    : defaultShell;
}

/** readDockerfile reads any text; what is no Dockerfile returns a model without stages. */
export function readDockerfile(source: string): Model {
  const { escape, directives, comments, pieces, refusals } = cutDockerfile(source);
  const preamble: Instruction[] = [];
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  // SHELL holds for one stage; a stage that stands on another inherits it.
  let shell = defaultShell;
  const shells = new Map<Stage, readonly string[]>();
  const byName = new Map<string, Stage>();
  for (const piece of pieces) {
    const instruction = instructionOf(piece, escape, shell);
    if (instruction.keyword === 'FROM' && !instruction.onbuild) {
      const stage = stageOf(instruction, stages.length, byName);
      shell = (stage.parent === undefined ? undefined : shells.get(stage.parent)) ?? shellOf(stage);
      shells.set(stage, shell);
      stages.push(stage);
      if (stage.name !== undefined) byName.set(stage.name.toLowerCase(), stage);
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) preamble.push(instruction);
    else stage.instructions.push(instruction);
    if (instruction.keyword !== 'SHELL' || !instruction.exec || instruction.onbuild) continue;
    shell = instruction.words.map((word) => word.text.value);
    if (stage !== undefined) shells.set(stage, shell);
  }
  const position = lineIndex(source);
  return { source, escape, directives, comments, pieces, refusals, preamble, stages, position };
}

function stageOf(from: Instruction, index: number, earlier: ReadonlyMap<string, Stage>) {
  const [base, as, name] = from.words;
  const alias = as?.text.value.toUpperCase() === 'AS' ? name?.text.value : undefined;
  const parent = earlier.get(base?.text.value.toLowerCase() ?? '');
  return { index, from, instructions: new Array<Instruction>(), name: alias, base, parent };
}
