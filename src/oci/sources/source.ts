import type { Readable } from 'node:stream';
import type { Descriptor } from '../../core/index.ts';

/**
 * ImageSource is a place an image is read from. Every blob is returned as it is stored: its
 * reader verifies digest and size.
 */
export interface ImageSource {
  /** As the user named it, transport and all. */
  readonly name: string;
  /** The index or manifest that the reference names. */
  root(): Promise<Descriptor>;
  /** Throws `oci/blob-missing`, or what the place itself throws. */
  open(descriptor: Descriptor): Promise<Readable>;
  /** An engine's archive may list platforms whose bytes the engine never fetched: whether this blob is in it. */
  has?(descriptor: Descriptor): boolean;
  /** The file that holds a blob, where there is one: named in errors about a document. */
  file?(descriptor: Descriptor): string;
  close(): Promise<void>;
}
