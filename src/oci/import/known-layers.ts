import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import * as z from 'zod';
import { digestOf, isDigest, mediaTypes, type Digest } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Layout } from '../layout/index.ts';
import type { OrderOptions } from './order.ts';
import type { OwnLayer } from './rewrite.ts';

const maxBytes = 1024 * 1024;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
/** Null: a layer without entries, which is left out. */
const written = z.object({ digest, size: z.number().int().nonnegative(), diffId: digest }).nullable();
const schema = z.record(z.string(), written);
type Written = z.infer<typeof written>;

/**
 * KnownLayers tells what the engine's layers became when the layout was last built. After a change of one
 * file most of an image is the same, and compressing it again would be most of the build.
 */
export interface KnownLayers {
  /** The layer written from the engine's layer `from`, its bytes verified; undefined when it is not known. */
  find(from: Digest, how: OrderOptions): Promise<{ readonly layer: OwnLayer | undefined } | undefined>;
  note(from: Digest, how: OrderOptions, layer: OwnLayer | undefined): void;
  /** Writes down what was found or noted since it was opened, and forgets the rest. */
  save(): Promise<void>;
}

async function readKnown(host: Host, file: string): Promise<Readonly<Record<string, Written>>> {
  if ((await host.files.stat(file))?.type !== 'file') return {};
  try {
    return schema.parse(JSON.parse(await host.files.readText(file, maxBytes)));
  } catch {
    // It only saves time: what cannot be read is written anew.
    return {};
  }
}

/**
 * openKnownLayers reads `known-layers.json` in the layout. `format` names the way in which layers are
 * written: a layer written otherwise is not the same. The blobs themselves are verified when they are
 * used, so that the file says no more than where to look.
 */
export async function openKnownLayers(host: Host, layout: Layout, format: number): Promise<KnownLayers> {
  const file = join(layout.directory, 'known-layers.json');
  const before = await readKnown(host, file);
  const now = new Map<string, Written>();
  const key = (from: Digest, { epoch, mountPoints }: OrderOptions): string =>
    digestOf(JSON.stringify([format, process.versions['zlib'], from, epoch, mountPoints]));
  return {
    async find(from, how) {
      const name = key(from, how);
      const known = now.get(name) ?? before[name];
      if (known === undefined) return undefined;
      if (known === null) {
        now.set(name, null);
        return { layer: undefined };
      }
      const { diffId, ...blob } = known;
      if (!(await isWhole(layout, blob))) return undefined;
      now.set(name, known);
      return { layer: { descriptor: { mediaType: mediaTypes.layerGzip, ...blob }, diffId } };
    },
    note(from, how, layer) {
      if (layer === undefined) return void now.set(key(from, how), null);
      const { digest, size } = layer.descriptor;
      now.set(key(from, how), { digest, size, diffId: layer.diffId });
    },
    save: () => host.files.write(file, `${JSON.stringify(Object.fromEntries(now))}\n`),
  };
}

async function isWhole(layout: Layout, blob: { readonly digest: Digest; readonly size: number }): Promise<boolean> {
  try {
    await finished((await layout.open(blob)).resume());
    return true;
  } catch {
    return false;
  }
}
