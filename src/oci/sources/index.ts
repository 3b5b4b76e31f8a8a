export { layoutSource, openFileSource, parseSource, type SourceName } from './open.ts';
export type { ImageSource } from './source.ts';
