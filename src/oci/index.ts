export * from './import/index.ts';
export * from './layout/index.ts';
export * from './sources/index.ts';
export { validateLayout, type LayoutProblem } from './validate.ts';
export { readVerified, type Expected } from './verify.ts';
export { loadableArchive, type LoadableImage } from './export/loadable-archive.ts';
export * from './walk/index.ts';
