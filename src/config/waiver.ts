import * as z from 'zod';
import type { Waiver } from '../core/index.ts';
import { readYaml, type Read } from './document.ts';

const sentence = z.string().trim().min(1).max(1000);

/** A waiver of everything would be no waiver; a waiver without an end neither. */
export const waiverSchema = z.strictObject({
  rule: z.string().regex(/^[a-z]+\/[a-z0-9-]+$/, 'must be the id of a rule, such as contract/setid'),
  subject: z
    .string()
    .min(1)
    .max(1000)
    .refine(
      (text) => /[^*?/]/.test(text),
      'must name something: a subject of wildcards alone would waive the whole rule',
    )
    .describe("The finding's subject; * stays inside a path component, ** crosses them"),
  reason: sentence
    .min(15, 'must say why, in a sentence')
    .describe('Why this is right although the rule says otherwise'),
  owner: sentence.describe('Who decides about it: a person or a team'),
  expires: z.iso.date('must be a date that exists, YYYY-MM-DD').describe('Last day on which the waiver holds, UTC'),
});

/** The `waivers:` of an image.yaml. */
export const waiverListSchema = z.array(waiverSchema);

/** A waiver file of its own, beside the Dockerfile of a derived image. */
export const waiverFileSchema = z.strictObject({ waivers: waiverListSchema });

/** placedWaivers adds to each waiver the line it is written on. */
export function placedWaivers(
  waivers: readonly z.infer<typeof waiverSchema>[],
  where: Read<unknown>['where'],
): readonly Waiver[] {
  return waivers.map((waiver, index) => ({ ...waiver, where: where(['waivers', index, 'rule']) }));
}

/** readWaivers reads a waiver file. Throws every problem at once, with file:line:column. */
export function readWaivers(text: string, file: string): readonly Waiver[] {
  const read = readYaml(waiverFileSchema, text, file);
  return placedWaivers(read.value.waivers, read.where);
}
