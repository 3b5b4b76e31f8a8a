import { createHash, randomUUID } from 'node:crypto';

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface UploadSession {
  readonly id: string;
  readonly repository: string;
  readonly chunks: Buffer[];
  size: number;
}

export class StoredRepository {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, StoredManifest>();
  readonly tags = new Map<string, string>();
}

interface Document {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string; readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** MemoryStore keeps repositories as the distribution spec wants them, and refuses what it would refuse. */
export class MemoryStore {
  readonly repositories = new Map<string, StoredRepository>();
  readonly uploads = new Map<string, UploadSession>();

  repository(name: string): StoredRepository {
    const found = this.repositories.get(name) ?? new StoredRepository();
    this.repositories.set(name, found);
    return found;
  }

  openUpload(repository: string): UploadSession {
    const session = { id: randomUUID(), repository, chunks: [], size: 0 };
    this.uploads.set(session.id, session);
    return session;
  }

  /** Gives an error code, or undefined when the blob is stored. */
  closeUpload(session: UploadSession, digest: string): string | undefined {
    const bytes = Buffer.concat(session.chunks);
    if (sha256(bytes) !== digest) return 'DIGEST_INVALID';
    this.uploads.delete(session.id);
    this.repository(session.repository).blobs.set(digest, bytes);
    return undefined;
  }

  find(name: string, reference: string): { digest: string; manifest: StoredManifest } | undefined {
    const repository = this.repositories.get(name);
    const digest = reference.startsWith('sha256:') ? reference : repository?.tags.get(reference);
    const manifest = digest === undefined ? undefined : repository?.manifests.get(digest);
    return digest === undefined || manifest === undefined ? undefined : { digest, manifest };
  }

  /** Gives an error code, or the subject's digest (null without one) when the manifest is stored. */
  putManifest(
    name: string,
    reference: string,
    manifest: StoredManifest,
  ): { error: string } | { subject: string | null } {
    const repository = this.repository(name);
    const digest = sha256(manifest.bytes);
    if (reference.startsWith('sha256:') && reference !== digest) return { error: 'DIGEST_INVALID' };
    let document: Document;
    try {
      document = JSON.parse(manifest.bytes.toString()) as Document;
    } catch {
      return { error: 'MANIFEST_INVALID' };
    }
    if (document.mediaType !== undefined && document.mediaType !== manifest.mediaType)
      return { error: 'MANIFEST_INVALID' };
    const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
    if (blobs.some((blob) => !repository.blobs.has(blob.digest))) return { error: 'MANIFEST_BLOB_UNKNOWN' };
    if (document.manifests?.some((child) => !repository.manifests.has(child.digest)) === true)
      return { error: 'MANIFEST_BLOB_UNKNOWN' };
    repository.manifests.set(digest, manifest);
    if (!reference.startsWith('sha256:')) repository.tags.set(reference, digest);
    return { subject: document.subject?.digest ?? null };
  }

  /** Descriptors of all manifests whose subject is `digest`, as the referrers API builds them. */
  referrers(name: string, digest: string): { readonly digest: string; readonly artifactType?: string | undefined }[] {
    const found = [];
    for (const [own, { bytes, mediaType }] of this.repository(name).manifests) {
      const document = JSON.parse(bytes.toString()) as Document;
      if (document.subject?.digest !== digest) continue;
      const artifactType = document.artifactType ?? document.config?.mediaType;
      found.push({ mediaType, digest: own, size: bytes.length, artifactType, annotations: document.annotations });
    }
    return found;
  }
}
