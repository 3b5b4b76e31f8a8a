import { createHash } from 'node:crypto';
import { AppError, type Where } from '../errors/index.ts';

declare const digestBrand: unique symbol;
/** `sha256:` and 64 lower-case hex digits (OCI image spec, descriptor.md#digests). */
export type Digest = string & { readonly [digestBrand]: true };

const pattern = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** parseDigest is the only maker of a Digest from text. Throws `core/digest`. */
export function parseDigest(text: string, where?: Where): Digest {
  if (isDigest(text)) return text;
  throw new AppError('core/digest', 'usage', 'malformed digest', {
    expected: 'sha256: and 64 lower-case hex digits',
    found: JSON.stringify(text.slice(0, 120)),
    ...(where === undefined ? {} : { where }),
    hint: 'copy the whole digest, as `skopeo inspect` or the registry prints it',
  });
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** hexOf gives the 64 hex digits, as blob paths and checksum files hold them. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
