export { allInstructions, lineage, type Declared, type Instruction, type Model, type Stage } from './read/model.ts';
export { readDockerfile } from './read/read.ts';
export {
  expandGlobals,
  globalArguments,
  imageReferences,
  platformArguments,
  splitReference,
} from './read/references.ts';
export { offsetAt, sliceText, TextBuilder, type Text } from './read/text.ts';
export { mountsOf } from './read/mounts.ts';
export { refusalsOf } from './read/refusals.ts';
export type { DockerWord } from './read/words.ts';
