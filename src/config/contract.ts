import * as z from 'zod';
import type { Contract } from '../core/index.ts';
import { readYaml } from './document.ts';

const text = z.string().min(1).max(1000);
const path = z.string().regex(/^\/(?:[^/\0]+(?:\/[^/\0]+)*)?$/, 'must be an absolute path without a final slash');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');
const bytes = z.int().positive();
const octal = z.string().regex(/^[0-7]{3,4}$/, 'must be octal digits in quotes, such as "1777"');
const expression = z.string().refine((value) => {
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}, 'must be a regular expression');

const label = z.strictObject({
  name: text,
  pattern: expression.optional(),
  meaning: text.optional().describe('What the pattern means, for the message'),
});

const requiredPath = z.strictObject({
  path,
  kind: z.enum(['file', 'directory', 'symlink', 'character', 'block', 'fifo', 'any']),
  mode: octal.optional().describe('Exact permission bits'),
  access: z
    .string()
    .regex(/^r?w?x?$/, 'must be letters of rwx, in that order')
    .min(1)
    .optional()
    .describe('What the runtime user and a random UID in group 0 must be able to do'),
  optional: z.boolean().optional().describe('May be absent: a mount point'),
});

const profile = z.strictObject({
  variants: z.array(text).min(1).describe('Values of the variant label, globs allowed'),
  home: path,
  application: path,
  recommendedUid: z.int().nonnegative().optional(),
  runsAs: text.optional().describe("User that processes drop to, when it is not the image's USER"),
  anyGroup: z.boolean().optional().describe('The group of processes may be any, not only 0'),
  paths: z.array(requiredPath).min(1),
  provides: z.array(variable).describe('Contract variables that the published image itself sets'),
  recommendedEnv: z.record(variable, z.string()),
  labels: z.array(label),
  ownLabels: z.array(text),
  owned: z.array(path),
  policy: z.strictObject({ path, rego: path.optional(), required: z.boolean() }).optional(),
  size: z.strictObject({ compressed: bytes, wasted: bytes }),
});

const derived = z.strictObject({
  labels: z.array(label),
  ownLabels: z.array(text),
  size: z.strictObject({ added: bytes, wasted: bytes }),
});

const module = z.string().regex(/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/, 'must be the name of a Python module');

/** Schema of images/contract/v<version>.yaml. */
export const contractSchema = z.strictObject({
  version: text,
  port: z.int().min(1).max(65535),
  forbiddenEnv: z.array(variable),
  python: z.strictObject({
    minimum: z.string().regex(/^3\.\d+$/, 'must be a version such as "3.12", in quotes'),
    package: module,
    server: module,
    main: text,
  }),
  bridges: z.record(text, module),
  arbitraryUser: z.strictObject({ uid: z.int().positive(), gid: z.int().nonnegative() }),
  labelNamespace: text,
  knownLabels: z.array(text),
  waiverWarningDays: z.int().nonnegative(),
  profiles: z.strictObject({ standard: profile, openshell: profile, custom: derived }),
});

/** readContract reads images/contract/v<version>.yaml. Throws every problem at once, with file:line:column. */
export function readContract(text: string, file: string): Contract {
  // zod says `member?: T | undefined`; what YAML leaves out is absent, never undefined.
  return readYaml(contractSchema, text, file).value;
}
