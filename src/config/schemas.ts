import * as z from 'zod';
import { policySchema } from '../core/index.ts';
import { contractSchema } from './contract.ts';
import { fragmentSchema } from './fragment.ts';
import { imageSchema } from './image.ts';
import { pinsSchema } from './pins.ts';
import { upstreamSchema } from './upstream.ts';
import { waiverFileSchema } from './waiver.ts';

const all = {
  'pins.schema.json': { schema: pinsSchema, title: 'images/pins.yaml' },
  'image.schema.json': { schema: imageSchema, title: 'images/<image>/image.yaml' },
  'fragment.schema.json': { schema: fragmentSchema, title: 'front matter of images/fragments/*.dockerfile' },
  'contract.schema.json': { schema: contractSchema, title: 'images/contract/v*.yaml' },
  'policy.schema.json': { schema: policySchema, title: 'policy.yaml of the OpenShell supervisor' },
  'upstream.schema.json': { schema: upstreamSchema, title: 'images/upstream.yaml' },
  'waivers.schema.json': { schema: waiverFileSchema, title: 'waivers.yaml of a derived image' },
} as const;

/** editorSchemas returns the JSON Schemas of the YAML files, by file name, as text. */
export function editorSchemas(): ReadonlyMap<string, string> {
  const texts = Object.entries(all).map(([file, { schema, title }]) => {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return [file, `${JSON.stringify({ title, ...json }, undefined, 2)}\n`] as const;
  });
  return new Map(texts);
}
