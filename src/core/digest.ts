import { createHash } from 'node:crypto';
import { AppError, type Where } from '../errors/index.ts';

declare const digestBrand: unique symbol;
/**
 * `sha256:` and 64 lower-case hex digits (OCI image spec, descriptor.md#digests). Descriptors of images made elsewhere
 * may have `sha512:` and 128; what this project makes or pins never has.
 */
export type Digest = string & { readonly [digestBrand]: true };

const pattern = /^sha256:[0-9a-f]{64}$/;

/** isDigest returns whether the text is `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** parseDigest is the only maker of a Digest from text. Throws `core/digest`. */
export function parseDigest(text: string, where?: Where): Digest {
  if (isDigest(text)) return text;
  throw new AppError('core/digest', 'usage', 'malformed digest', {
    expected: 'sha256: and 64 lower-case hex digits',
    found: JSON.stringify(text.slice(0, 120)),
    where,
    hint: 'copy the whole digest, as `skopeo inspect` or the registry prints it',
  });
}

/** isBlobDigest: a digest of an image made elsewhere, by either of the registered algorithms. */
export function isBlobDigest(text: string): text is Digest {
  return isDigest(text) || /^sha512:[0-9a-f]{128}$/.test(text);
}

export type DigestAlgorithm = 'sha256' | 'sha512';

/** algorithmOf returns the algorithm that a digest begins with. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** digestOf hashes bytes; text is hashed as UTF-8. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** hexOf returns the hex digits, as blob paths and checksum files hold them. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** blobPath returns a blob's place in an image layout: `blobs/sha256/…`. */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}
