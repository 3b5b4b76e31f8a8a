export { collectGarbage, reachable } from './collect.ts';
export { blobsOf, createLayout, openLayout, type Layout } from './layout.ts';
