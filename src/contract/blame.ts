import type { LayerOrigin, Picture } from '../core/index.ts';
import { redactSecrets } from './secrets/text.ts';

const maxLength = 240;

/** Instructions can hold credentials: what a report shows of them is redacted and short. */
function tidy(createdBy: string): string {
  const text = redactSecrets(createdBy.replace(/\s+/g, ' ').trim());
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** layerOrigin names a layer by its position and the instruction that made it. */
export function layerOrigin(picture: Picture, index: number): LayerOrigin {
  const layer = picture.layers[index];
  return {
    index,
    digest: layer === undefined ? undefined : layer.digest,
    createdBy: layer?.createdBy === undefined ? undefined : tidy(layer.createdBy),
  };
}

/** Docker's classic builder and Buildah write `/bin/sh -c #(nop)  ENV A=b`, BuildKit `ENV A=b`. */
function instructionOf(createdBy: string): { keyword: string; rest: string } {
  const text = createdBy.replace(/^\/bin\/sh -c #\(nop\)\s+/, '').trim();
  const [keyword = ''] = text.split(/\s/, 1);
  return { keyword, rest: text.slice(keyword.length) };
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * blame finds the last instruction of one kind (ENV, LABEL, USER, ENTRYPOINT, CMD, EXPOSE) that set
 * `key`, and the layer on top of which it stood. Undefined when the history does not say.
 */
export function blame(picture: Picture, keyword: string, key?: string): LayerOrigin | undefined {
  const sets = key === undefined ? undefined : new RegExp(`(?:^|[\\s'"{\\[])${escape(key)}(?:=|["']?\\s|:)`);
  let layer = -1;
  let found: LayerOrigin | undefined;
  for (const entry of picture.config.history ?? []) {
    if (entry.empty_layer !== true) layer += 1;
    const { keyword: is, rest } = instructionOf(entry.created_by ?? '');
    if (is !== keyword || (sets !== undefined && !sets.test(rest))) continue;
    found = { index: Math.max(layer, 0), createdBy: tidy(entry.created_by ?? '') };
  }
  return found;
}
