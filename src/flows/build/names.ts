import { join } from 'node:path';
import { hexOf, type Plan } from '../../core/index.ts';

/** inputTag names what was built from exactly these inputs; publish sets it, build looks for it. */
export function inputTag(plan: Plan): string {
  return `input-${hexOf(plan.inputDigest).slice(0, 32)}`;
}

/** layoutDirectory is where a variant's layout lies. */
export function layoutDirectory(root: string, variant: string): string {
  return join(root, 'dist', variant);
}
