import type { Readable } from 'node:stream';
import type { Descriptor } from '../core/oci.ts';

/** BlobSource is where the bytes of an image come from: a layout, another registry, memory. */
export interface BlobSource {
  /** The bytes from `start` (default 0) to the end. Called again when a connection broke. */
  open(blob: Descriptor, start?: number): Readable | Promise<Readable>;
  /** Absolute path of a file that holds exactly these bytes, where there is one: the fastest to send. */
  file?(blob: Descriptor): Promise<string>;
  /** The whole bytes of a manifest or an index. */
  manifest(descriptor: Descriptor): Promise<Uint8Array>;
}
