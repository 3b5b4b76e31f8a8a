import { algorithmOf, digestOf, isBlobDigest, isDigest, type Digest } from '../core/digest.ts';
import { formatImageRef, type ImageRef } from '../core/image-ref.ts';
import { isIndexType, isManifestType, maxManifestBytes, mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { discard, readBody } from './body.ts';
import { readNode, type Node } from './node.ts';
import { formatRepository, type Repository } from './repository.ts';
import { pull, push, remove } from './scope.ts';
import type { Answer, Transport } from './transport.ts';

/** A manifest or index whose bytes have been held against its digest. */
export interface Fetched {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly node: Node;
}

/** Everything this project reads; a registry may convert what is not listed, and change its digest. */
export const accept = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerList, mediaTypes.dockerManifest].join(
  ', ',
);

/** targetOf returns what a reference names: its digest when it has one, else its tag. Throws `registry/reference`. */
export function targetOf(ref: ImageRef): string {
  const target = ref.digest ?? ref.tag;
  if (target !== undefined) return target;
  throw new AppError('registry/reference', 'usage', 'the reference names neither a tag nor a digest', {
    found: formatImageRef(ref),
    expected: 'host/repository:tag or host/repository@sha256:…; `latest` is never assumed',
  });
}

/** mediaTypeOf reads Content-Type without its parameters. */
export function mediaTypeOf(answer: Answer): string | undefined {
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}

/** digestHeader returns Docker-Content-Digest; undefined when it is missing or malformed. */
export function digestHeader(answer: Answer): Digest | undefined {
  const value = answer.headers.get('docker-content-digest')?.trim();
  return value !== undefined && isBlobDigest(value) ? value : undefined;
}

/** digestMismatch is the error of bytes whose digest is not the expected one; `said` is what stated that. */
export function digestMismatch(what: string, expected: string, found: string, said: string): AppError {
  return new AppError('registry/digest-mismatch', 'upstream', `${what} has another digest than ${said}`, {
    expected,
    found,
    hint: 'the bytes were changed on their way or in the registry: do not use them, and find out where',
  });
}

/** checked holds a body against what was asked for and what the header says, and reads it. */
export function checkManifest(answer: Answer, bytes: Buffer, wanted: string, what: string): Fetched {
  const digest = digestOf(bytes, isBlobDigest(wanted) ? algorithmOf(wanted) : 'sha256');
  if (isBlobDigest(wanted) && wanted !== digest) throw digestMismatch(what, wanted, digest, 'was asked for');
  const header = digestHeader(answer);
  if (header !== undefined && header !== digestOf(bytes, algorithmOf(header)))
    throw digestMismatch(what, header, digest, 'the registry says (Docker-Content-Digest)');
  const type = mediaTypeOf(answer);
  if (type === 'text/html')
    throw new AppError('registry/unexpected-answer', 'upstream', `${what}: the registry returned a web page`, {
      expected: 'a manifest or an index',
      found: 'text/html',
      hint: 'something between this machine and the registry (a proxy, a login page) answers instead of it',
    });
  const node = readNode(bytes, type, what);
  return { descriptor: { mediaType: node.mediaType, digest, size: bytes.length }, bytes, node };
}

/**
 * fetchManifest reads a manifest or index of at most `limit` bytes, 4 MiB by default. Throws RegistryError,
 * `registry/digest-mismatch`, `registry/too-large`, `registry/malformed-manifest`.
 */
export async function fetchManifest(wire: Transport, ref: ImageRef, limit = maxManifestBytes): Promise<Fetched> {
  const wanted = targetOf(ref);
  const what = formatImageRef(ref);
  return wire.send(
    {
      repo: ref,
      method: 'GET',
      url: wire.url(ref, `manifests/${wanted}`),
      headers: { accept },
      scopes: [pull(wire.endpoint(ref).name)],
      expect: [200],
      doing: `read the manifest ${what}`,
    },
    async (answer) => checkManifest(answer, await readBody(answer, limit, `the manifest ${what}`), wanted, what),
  );
}

/** manifestExists asks with one HEAD by digest. */
export async function manifestExists(wire: Transport, repo: Repository, digest: Digest): Promise<boolean> {
  return wire.send(
    {
      repo,
      method: 'HEAD',
      url: wire.url(repo, `manifests/${digest}`),
      headers: { accept },
      scopes: [push(wire.endpoint(repo).name)],
      expect: [200, 404],
      doing: `look for ${digest}`,
    },
    async (answer) => {
      await discard(answer.body);
      const header = digestHeader(answer);
      if (answer.status === 200 && header !== undefined && header !== digest)
        throw digestMismatch(`${formatRepository(repo)}@${digest}`, digest, header, 'was asked for');
      return answer.status === 200;
    },
  );
}

export interface PutResult {
  readonly digest: Digest;
  /** The registry has filed the manifest under its subject (distribution spec 1.1, OCI-Subject). */
  readonly subjectFiled: boolean;
}

/**
 * putManifest writes a manifest under a tag, or under its own digest. Repeating it changes nothing,
 * so broken connections are simply tried again.
 */
export async function putManifest(
  wire: Transport,
  repo: Repository,
  bytes: Uint8Array,
  mediaType: string,
  tag?: string,
): Promise<PutResult> {
  if (bytes.length > maxManifestBytes || !(isIndexType(mediaType) || isManifestType(mediaType)))
    throw new AppError('registry/manifest', 'usage', 'not a manifest that a registry accepts', {
      expected: `an index or a manifest of at most ${maxManifestBytes} bytes`,
      found: `${mediaType}, ${bytes.length} bytes`,
    });
  const digest = digestOf(bytes);
  return wire.send(
    {
      repo,
      method: 'PUT',
      url: wire.url(repo, `manifests/${tag ?? digest}`),
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: async () => bytes,
      scopes: [push(wire.endpoint(repo).name)],
      // Registries answer 201; some older ones 200 or 202.
      expect: [200, 201, 202],
      timeout: 120_000,
      doing: `write the manifest ${tag ?? digest}`,
    },
    async (answer) => {
      await discard(answer.body);
      const stored = digestHeader(answer);
      if (stored !== undefined && stored !== digest)
        throw digestMismatch(`the manifest written to ${formatRepository(repo)}`, digest, stored, 'was sent');
      const subject = answer.headers.get('oci-subject')?.trim();
      return { digest, subjectFiled: subject !== undefined && isDigest(subject) };
    },
  );
}

/** deleteManifest removes a manifest by digest, or a tag. Answers false when it was not there. */
export async function deleteManifest(wire: Transport, repo: Repository, target: string): Promise<boolean> {
  return wire.send(
    {
      repo,
      method: 'DELETE',
      url: wire.url(repo, `manifests/${target}`),
      scopes: [remove(wire.endpoint(repo).name)],
      expect: [200, 202, 204, 404],
      doing: `delete ${target} (some registries do not allow it)`,
    },
    async (answer) => {
      await discard(answer.body);
      return answer.status !== 404;
    },
  );
}
