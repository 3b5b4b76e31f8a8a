import { isDigest } from '../core/digest.ts';
import { formatImageRef, type ImageRef } from '../core/image-ref.ts';
import { isIndexType, isManifestType, maxManifestBytes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { accept, checkManifest, digestHeader, digestMismatch, mediaTypeOf, targetOf } from './manifest.ts';
import { pull } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

/** The three answers to "is it there": `unknown` is never taken for one of the others. */
export type Resolution =
  | { readonly $case: 'there'; readonly descriptor: Descriptor }
  | { readonly $case: 'gone'; readonly error: AppError }
  | { readonly $case: 'unknown'; readonly error: AppError };

/** fromHead builds a descriptor of the headers alone; undefined when one of the three is missing. */
function fromHead(answer: Answer): Descriptor | undefined {
  const digest = digestHeader(answer);
  const mediaType = mediaTypeOf(answer);
  const length = answer.headers.get('content-length') ?? '';
  if (digest === undefined || mediaType === undefined || !/^[1-9]\d{0,15}$/.test(length)) return undefined;
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return undefined;
  return { mediaType, digest, size: Number(length) };
}

/**
 * resolve returns the descriptor that a reference names. It asks with HEAD; where a registry leaves out
 * a header or does not know HEAD, the manifest is read and hashed. A digest in the reference must be
 * the one that comes. Throws RegistryError, `registry/digest-mismatch` or what fetching throws.
 */
export async function resolve(wire: Transport, ref: ImageRef): Promise<Descriptor> {
  const wanted = targetOf(ref);
  const url = wire.url(ref, `manifests/${wanted}`);
  const what = formatImageRef(ref);
  const call = { repo: ref, url, scopes: [pull(wire.endpoint(ref).name)], doing: `resolve ${what}` };
  const headers = { accept };
  const head = await wire.send({ ...call, method: 'HEAD', headers, expect: [200, 400, 405, 501] }, async (answer) => {
    await discard(answer.body);
    return answer.status === 200 ? fromHead(answer) : undefined;
  });
  const descriptor =
    head ??
    (await wire.send({ ...call, method: 'GET', headers, expect: [200] }, async (answer) => {
      const bytes = await readBody(answer, maxManifestBytes, `the manifest ${what}`);
      return checkManifest(answer, bytes, wanted, what).descriptor;
    }));
  if (isDigest(wanted) && descriptor.digest !== wanted)
    throw digestMismatch(what, wanted, descriptor.digest, 'was asked for');
  return descriptor;
}

/** settle turns an outcome into one of the three answers; a bug stays an exception. */
export async function settle(resolving: Promise<Descriptor>): Promise<Resolution> {
  try {
    return { $case: 'there', descriptor: await resolving };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { $case: error.code === 'registry/not-found' ? 'gone' : 'unknown', error };
  }
}
