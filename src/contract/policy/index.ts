import type { Rule } from '../context.ts';
import { policyBinaries } from './binaries.ts';
import { policyIdentity, policyPaths } from './filesystem.ts';
import { policyKeys, policyShape } from './keys.ts';
import { policyUnusable } from './unusable.ts';

/** The policy file held against the image that carries it. */
export const policyRules: readonly Rule[] = [
  policyShape,
  policyKeys,
  policyBinaries,
  policyPaths,
  policyIdentity,
  policyUnusable,
];
