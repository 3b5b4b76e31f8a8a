import * as z from 'zod';
import type { LineRange, UpstreamRecord } from '../core/index.ts';
import { readYaml, type Read } from './document.ts';
import { evidenceList, absentList } from './pins.ts';
import { commit, httpsUrl, labelKey, name, relativePath, sentence } from './text.ts';

const lines = z
  .union([z.int().positive(), z.string().regex(/^[1-9]\d{0,5}-[1-9]\d{0,5}$/)], 'must be a line, or first-last')
  .transform((text): LineRange => {
    const [first = 0, last = first] = String(text).split('-').map(Number);
    return [first, last];
  })
  .refine(([first, last]) => first <= last, 'must not end before it begins');

const keyword = z.string().regex(/^[A-Z]+$/, 'must be an instruction in capitals');

const parts = [
  z.strictObject({ fragment: name, instruction: keyword.optional() }),
  z.strictObject({ pin: name }),
  z.strictObject({ label: labelKey }),
] as const;
const counterpart = z.union([...parts, z.strictObject({ file: relativePath })]);
const same = z.boolean().optional().describe('Byte for byte the file of upstream');
const fileCounterpart = z.union([...parts, z.strictObject({ file: relativePath, same })]);

const account = {
  does: sentence.describe('What it does, in our words'),
  omitted: z.array(sentence).default([]).describe('Names of `omitted` entries of image.yaml, where the reasons stand'),
  note: sentence.optional(),
};

const dockerfile = z.strictObject({
  file: relativePath,
  object: commit,
  image: name,
  lines: z.int().positive(),
  between: z.array(lines),
  instructions: z
    .array(
      z.strictObject({
        lines,
        keyword,
        digest: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
        by: z.array(counterpart).default([]).describe('What of ours does it'),
        ...account,
      }),
    )
    .min(1),
});

export const upstreamSchema = z.strictObject({
  repository: httpsUrl,
  commit,
  path: relativePath,
  tree: commit,
  evidence: evidenceList,
  absent: absentList.default([]),
  dockerfiles: z.array(dockerfile).min(1),
  files: z
    .array(
      z.strictObject({
        path: relativePath,
        object: commit,
        by: z.array(fileCounterpart).default([]).describe('What of ours does it'),
        ...account,
      }),
    )
    .min(1),
});

/** readUpstream reads images/upstream.yaml. Throws every problem at once, with file:line:column. */
export function readUpstream(text: string, file: string): Read<UpstreamRecord> {
  return readYaml(upstreamSchema, text, file);
}
