export type { OtherManifest } from './images.ts';
export { openEngineArchive } from './open-archive.ts';
export { layoutSource, openFileSource, parseSource } from './open.ts';
export type { ImageSource } from './source.ts';
