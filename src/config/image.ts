import * as z from 'zod';
import type { ImageDefinition, VariantDefinition } from '../core/index.ts';
import { readYaml, type Read } from './document.ts';
import { placedWaivers, waiverListSchema } from './waiver.ts';
import { labelKey, labelText, name, platform, repository, sentence, version, word } from './text.ts';

const omission = z.strictObject({ name: sentence, version: version.optional(), reason: sentence });
const labels = z.record(labelKey, labelText);
const params = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and _'), word);

const variant = z.strictObject({
  name,
  repository,
  title: labelText.min(1),
  description: labelText.min(1),
  agents: z.array(name),
  params: params.optional(),
  labels: labels.optional(),
  omitted: z.array(omission).optional(),
});

export const imageSchema = z.strictObject({
  image: name,
  profile: z.enum(['standard', 'openshell', 'custom']),
  platforms: z.array(platform).min(1),
  base: name,
  fragments: z.array(z.union([z.literal('@agents'), name])).min(1),
  labels: labels.optional(),
  params: params.optional(),
  variants: z.array(variant).min(1),
  omitted: z.array(omission).optional(),
  waivers: waiverListSchema.optional(),
});

function toVariant(raw: z.infer<typeof variant>): VariantDefinition {
  return {
    ...raw,
    params: raw.params ?? {},
    labels: raw.labels ?? {},
    omitted: raw.omitted ?? [],
  };
}

/** readImage reads images/<image>/image.yaml. Throws every problem at once, with file:line:column. */
export function readImage(text: string, file: string): Read<ImageDefinition> {
  const read = readYaml(imageSchema, text, file);
  const raw = read.value;
  const value: ImageDefinition = {
    ...raw,
    file,
    labels: raw.labels ?? {},
    params: raw.params ?? {},
    variants: raw.variants.map(toVariant),
    omitted: raw.omitted ?? [],
    waivers: placedWaivers(raw.waivers ?? [], read.where),
  };
  return { value, where: read.where };
}
