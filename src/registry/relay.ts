import { deadlines } from '../core/deadlines.ts';
import type { Descriptor } from '../core/oci.ts';
import { passBlob } from './blob-pull.ts';
import { uploadBlob, type Uploaded, type UploadOptions } from './blob-push.ts';
import { discard } from './body.ts';
import { RegistryError } from './failure.ts';
import type { Repository } from './repository.ts';
import { push } from './scope.ts';
import type { BlobSource } from './source.ts';
import type { Transport } from './transport.ts';
import { cancelSession, openUpload, withDigest, type Session } from './upload-session.ts';

/** Smaller blobs are not worth a way of their own. */
const worthIt = 1024 * 1024;

/** One request, whose body is the other registry's answer: nothing lies between the two connections. */
async function inOneGo(
  wire: Transport,
  from: Repository,
  to: Repository,
  blob: Descriptor,
  session: Session,
): Promise<void> {
  await wire.send(
    {
      repo: to,
      method: 'PUT',
      url: withDigest(session.location, blob.digest),
      headers: { 'content-length': String(blob.size), 'content-type': 'application/octet-stream' },
      body: async () => passBlob(wire, from, blob, 0),
      scopes: [push(wire.endpoint(to).name)],
      expect: [200, 201, 204],
      attempts: 1,
      timeout: 300_000,
      total: deadlines.transfer,
      doing: `upload ${blob.digest}`,
    },
    async (answer) => discard(answer.body),
  );
}

/**
 * relayBlob brings a blob from one registry into another. Where one whole request does not work (a proxy's limit, a
 * connection that breaks), it is uploaded as any other blob, with all the patience for that.
 */
export async function relayBlob(
  wire: Transport,
  from: Repository,
  to: Repository,
  source: BlobSource,
  blob: Descriptor,
  options: UploadOptions,
): Promise<Uploaded> {
  const plain = options.chunk === undefined && (options.mountFrom ?? []).length === 0;
  if (!plain || blob.size < worthIt) return await uploadBlob(wire, to, source, blob, options);
  const opened = await openUpload(wire, to, blob.digest);
  if (opened.$case === 'mounted') return 'mounted';
  try {
    await inOneGo(wire, from, to, blob, opened.session);
    return 'uploaded';
  } catch (error) {
    if (!(error instanceof RegistryError) || wire.host.signal.aborted) throw error;
    await cancelSession(wire, to, opened.session);
    return await uploadBlob(wire, to, source, blob, options);
  }
}
