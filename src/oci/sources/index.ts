export type { OtherManifest } from './images.ts';
export { openEngineArchive } from './open-archive.ts';
export { layoutSource, openFileSource, parseSource, type SourceName } from './open.ts';
export type { ImageSource } from './source.ts';
