export { allInstructions, history, lineage, type Instruction, type Model, type Stage } from './read/model.ts';
export { readDockerfile } from './read/read.ts';
export {
  declared,
  expandGlobals,
  globalArguments,
  imageReferences,
  mountsOf,
  platformArguments,
  splitReference,
} from './read/references.ts';
export { offsetAt, sliceText, TextBuilder, type Text } from './read/text.ts';
export { jsonStrings, type DockerWord } from './read/words.ts';
