import type { Readable } from 'node:stream';
import type { Descriptor } from '../../core/index.ts';

/**
 * ImageSource is a place an image is read from. Every blob is given as it is stored: whoever reads
 * it verifies digest and size. Nothing is copied or unpacked.
 */
export interface ImageSource {
  /** As the user named it, transport and all. */
  readonly name: string;
  /** The index or manifest that the reference names. */
  root(): Promise<Descriptor>;
  /** Throws `oci/blob-missing`, or what the place itself throws. */
  open(descriptor: Descriptor): Promise<Readable>;
  /** The file that holds a blob, where there is one: named in errors about a document. */
  file?(descriptor: Descriptor): string;
  close(): Promise<void>;
}
