export { collectGarbage, reachable } from './collect.ts';
export { createLayout, openLayout, type Layout } from './layout.ts';
