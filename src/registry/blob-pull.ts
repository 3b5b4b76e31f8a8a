import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { algorithmOf } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import { BlobStream } from './blob-stream.ts';
import { discard } from './body.ts';
import type { Repository } from './repository.ts';
import { push } from './scope.ts';
import type { Transport } from './transport.ts';

/** blobExists asks with one HEAD. Throws RegistryError for anything but there and not there. */
export async function blobExists(wire: Transport, repo: Repository, blob: Descriptor): Promise<boolean> {
  return wire.send(
    {
      repo,
      method: 'HEAD',
      url: wire.url(repo, `blobs/${blob.digest}`),
      scopes: [push(wire.endpoint(repo).name)],
      expect: [200, 404],
      doing: `look for the blob ${blob.digest}`,
    },
    async (answer) => {
      await discard(answer.body);
      if (answer.status === 404) return false;
      const length = answer.headers.get('content-length');
      // A blob of another size under this digest would be a broken one: it is sent again.
      return length === undefined || Number(length) === blob.size || Number(length) === 0;
    },
  );
}

/**
 * readBlob returns the bytes of a blob, held against size and digest as they pass. A broken connection
 * is taken up where it broke (Range). Wrong bytes end the stream with `registry/digest-mismatch`
 * before its last piece was handed out.
 */
export function readBlob(wire: Transport, repo: Repository, blob: Descriptor): Readable {
  return new BlobStream(wire, repo, blob, createHash(algorithmOf(blob.digest)), 0);
}

/**
 * passBlob returns the bytes of a blob from `start` on to a reader that compares them with the digest itself, as a
 * registry does with what it receives under a digest (distribution-spec, "Pushing blobs"). Only their number is checked.
 */
export function passBlob(wire: Transport, repo: Repository, blob: Descriptor, start: number): Readable {
  return new BlobStream(wire, repo, blob, undefined, start);
}
