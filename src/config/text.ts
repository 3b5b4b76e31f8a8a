import * as z from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { parseImageRef } from '../core/image-ref.ts';
import { platforms } from '../core/platform.ts';

// What may reach a Dockerfile is listed, not what may not: no pattern here lets a newline, a quote,
// a backslash, `$` or a backtick through, so no value can end its instruction or start another.

export const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens');
export const version = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$/, 'must be a version: letters, digits and . + _ -');
export const commit = z.string().regex(/^[0-9a-f]{40}$/, 'must be 40 lower-case hex digits');
export const platform = z.enum(platforms);

export const digest = z
  .string()
  .refine((text): boolean => isDigest(text), 'malformed digest: must be sha256: and 64 lower-case hex digits')
  .transform((text) => text as Digest);

/** A path inside the project or a repository: no leading slash, no `.` or `..` component. */
export const relativePath = z
  .string()
  .max(400)
  .regex(/^[A-Za-z0-9@._{}/-]+$/, 'must be letters, digits and @ . _ - /')
  .refine((text) => text.split('/').every((part) => part !== '' && part !== '.' && part !== '..'), {
    error: 'must be a relative path without empty, . or .. components',
  });
export const absolutePath = z
  .string()
  .max(400)
  .regex(/^(?:\/[A-Za-z0-9@._-]+)+$/, 'must be an absolute path of letters, digits and @ . _ -');

export const httpsUrl = z
  .string()
  .max(400)
  .regex(
    /^https:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~%+@{}/-]*)?$/,
    'must be an https URL without query',
  );

/** `host/repository` without tag or digest. */
export const repository = z.string().check((context) => {
  try {
    const ref = parseImageRef(context.value);
    if (ref.tag === undefined && ref.digest === undefined) return;
    context.issues.push({ code: 'custom', message: 'must have neither tag nor digest', input: context.value });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'malformed image reference';
    context.issues.push({ code: 'custom', message, input: context.value });
  }
});

/** Text of a label: one line, and nothing that ends or expands a double-quoted string. */
export const labelText = z
  .string()
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}"\\$`]*$/u, 'must be one line without quotes, backslashes, $ and backticks');
export const labelKey = z.string().regex(/^[a-z0-9]+(?:[._/-][a-z0-9]+)*$/, 'must be a label key');
/** Value of an ENV: a single shell word. */
export const word = z
  .string()
  .regex(/^[A-Za-z0-9_.,:@%+=/-]*$/, 'must be one word of letters, digits and _ . , : @ % + = / -');
export const sentence = z.string().min(1).max(1000);
