export * from './import/index.ts';
export * from './layout/index.ts';
export * from './sources/index.ts';
export { validateLayout } from './validate.ts';
export { readVerified } from './verify.ts';
export { loadableArchive } from './export/loadable-archive.ts';
export * from './walk/index.ts';
