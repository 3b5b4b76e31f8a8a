import { Readable } from 'node:stream';
import {
  hexOf,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  type Descriptor,
  type Digest,
} from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { openLayout, type Layout } from '../../oci/index.ts';
import { readNode, type Fetched, type Referrer, type Registry, type RejectedReferrer } from '../../registry/index.ts';

const refName = 'org.opencontainers.image.ref.name';
/** An index.json lists the images and what is attached to them; more would take minutes to open. */
const maxEntries = 2_000;
/** All manifests together, in bytes: they are kept while the image is read. */
const maxTotal = 128 * 1024 * 1024;

/** LayoutImage is one image of a layout, to be read with the same calls as one in a registry. */
export interface LayoutImage {
  /** Reads the layout alone: nothing is asked of any network, and writing is refused. */
  readonly registry: Registry;
  /** The image, by digest. */
  readonly ref: { readonly registry: string; readonly repository: string; readonly digest: Digest };
}

/** As a registry's client words it, so that a reader treats what a layout lacks as what a registry lacks. */
const codes: Readonly<Record<string, string>> = {
  'oci/blob-missing': 'registry/not-found',
  'oci/digest-mismatch': 'registry/digest-mismatch',
  'oci/size-mismatch': 'registry/digest-mismatch',
  'oci/too-large': 'registry/too-large',
};

function worded(error: unknown): unknown {
  const code = error instanceof AppError ? codes[error.code] : undefined;
  return error instanceof AppError && code !== undefined
    ? new AppError(code, 'upstream', error.message, error.facts)
    : error;
}

function tooLarge(directory: string, expected: string, found: string): AppError {
  return new AppError('trust/layout', 'usage', `oci:${directory} holds too much to be verified`, { expected, found });
}

async function read(
  layout: Layout,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  mediaType: string | undefined,
): Promise<Fetched> {
  const what = `${digest} in ${layout.directory}`;
  try {
    const bytes = await layout.read({ digest, size }, maxManifestBytes);
    const node = readNode(bytes, mediaType, what);
    return { descriptor: { mediaType: node.mediaType, digest, size }, bytes, node };
  } catch (error) {
    throw worded(error);
  }
}

/**
 * Referrers lie in a layout as ORAS and cosign write them: their manifests in index.json, known by their own subject; and
 * as regclient does: an index under the name that is a registry's fallback tag, `sha256-<hex>`.
 */
class LayoutReader {
  readonly #host: Host;
  readonly #layout: Layout;
  readonly #entries: readonly Descriptor[];
  readonly #opened = new Map<Digest, Promise<Fetched>>();
  #bytes = 0;

  constructor(host: Host, layout: Layout, entries: readonly Descriptor[]) {
    this.#host = host;
    this.#layout = layout;
    this.#entries = entries.filter(({ mediaType }) => isIndexType(mediaType) || isManifestType(mediaType));
  }

  open(digest: Digest): Promise<Fetched> {
    const opening = this.#opened.get(digest) ?? this.#read(digest);
    this.#opened.set(digest, opening);
    return opening;
  }

  async #read(digest: Digest): Promise<Fetched> {
    const listed = this.#entries.find((entry) => entry.digest === digest);
    const size = (await this.#host.files.stat(this.#layout.path({ digest, size: 0 })))?.size ?? 0;
    this.#bytes += Math.min(size, maxManifestBytes);
    if (this.#bytes > maxTotal)
      throw tooLarge(this.#layout.directory, `at most ${maxTotal} bytes of manifests`, 'more');
    return await read(this.#layout, { digest, size }, listed?.mediaType);
  }

  named(name: string): Descriptor | undefined {
    return this.#entries.find(({ annotations }) => annotations?.[refName] === name);
  }

  /** The image that `name` means; the only one that is attached to nothing, where no name is given. */
  async image(name: string | undefined): Promise<Digest> {
    const candidates: Descriptor[] = [];
    for (const [at, entry] of this.#entries.entries()) {
      const own = entry.annotations?.[refName];
      if (name !== undefined && own !== name && entry.digest !== name && name !== `@${at}`) continue;
      const lists = /^sha256-[0-9a-f]{64}(?:\.\w+)?$/.test(own ?? '');
      if (name === undefined && (lists || (await this.open(entry.digest)).node.subject !== undefined)) continue;
      candidates.push(entry);
    }
    const digests = new Set(candidates.map(({ digest }) => digest));
    const [digest] = digests;
    if (digest !== undefined && digests.size === 1) return digest;
    throw new AppError('oci/reference', 'usage', `oci:${this.#layout.directory} does not hold exactly one such image`, {
      expected: name ?? 'one image beside what is attached to it',
      found: [...digests].slice(0, 20).join(', ') || 'none',
      hint: `name one: oci:${this.#layout.directory}:NAME, :@PLACE or :sha256:…`,
    });
  }

  async referrers(subject: Digest) {
    const list = this.named(`sha256-${hexOf(subject)}`);
    const listed = list === undefined ? [] : (await this.open(list.digest)).node.children;
    const claimed = new Set(listed.map(({ digest }) => digest));
    const all = new Map([...this.#entries, ...listed].map((entry) => [entry.digest, entry]));
    const referrers: Referrer[] = [];
    const rejected: RejectedReferrer[] = [];
    for (const descriptor of all.values()) {
      try {
        const fetched = await this.open(descriptor.digest);
        const { artifactType, annotations } = fetched.node;
        if (fetched.node.subject?.digest === subject)
          referrers.push({ descriptor: { ...fetched.descriptor, artifactType, annotations }, fetched });
        else if (claimed.has(descriptor.digest))
          rejected.push({ descriptor, reason: 'other-subject', detail: 'the list names it for another image' });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // What cannot be opened may be attached to this image as well as to any other: it is named, and never counts.
        const reason = error.code === 'registry/not-found' ? 'gone' : 'wrong-bytes';
        rejected.push({ descriptor, reason, detail: error.message });
      }
    }
    return { via: 'api' as const, referrers, rejected };
  }
}

function readOnly(): never {
  throw new AppError('trust/layout', 'usage', 'a layout is only read here', {
    hint: 'push it with `runner-image publish` and sign it in the registry',
  });
}

/** openLayoutImage reads an image and what is attached to it from an OCI layout. Throws `oci/*`. */
export async function openLayoutImage(host: Host, directory: string, name: string | undefined): Promise<LayoutImage> {
  const layout = await openLayout(host, directory);
  const entries = (await layout.index())?.manifests ?? [];
  if (entries.length > maxEntries)
    throw tooLarge(directory, `at most ${maxEntries} manifests in index.json`, String(entries.length));
  const reader = new LayoutReader(host, layout, entries);
  const digest = await reader.image(name);
  const at = ({ digest: wanted, tag }: { digest?: Digest | undefined; tag?: string | undefined }): Digest => {
    const found = wanted ?? (tag === undefined ? undefined : reader.named(tag)?.digest);
    if (found !== undefined) return found;
    throw new AppError('registry/not-found', 'upstream', `oci:${directory} has nothing named ${tag ?? ''}`);
  };
  return {
    ref: { registry: 'oci', repository: directory, digest },
    registry: {
      resolve: async (ref) => (await reader.open(at(ref))).descriptor,
      resolveAll: async () => Promise.resolve(readOnly()),
      manifest: async (ref) => await reader.open(at(ref)),
      blob: (_repo, blob) =>
        Readable.from(
          (async function* () {
            try {
              yield* await layout.open(blob);
            } catch (error) {
              throw worded(error);
            }
          })(),
        ),
      tags: async () => Promise.resolve(readOnly()),
      referrers: async (_repo, subject) => await reader.referrers(subject),
      blobExists: async (_repo, blob) => await layout.has(blob),
      upload: async () => Promise.resolve(readOnly()),
      put: async () => Promise.resolve(readOnly()),
      delete: async () => Promise.resolve(readOnly()),
      push: async () => Promise.resolve(readOnly()),
      tagDigest: async () => Promise.resolve(readOnly()),
      moveTag: async () => Promise.resolve(readOnly()),
      attach: async () => Promise.resolve(readOnly()),
      attachAll: async () => Promise.resolve(readOnly()),
      awaitReferrers: async () => Promise.resolve(readOnly()),
      copy: async () => Promise.resolve(readOnly()),
    },
  };
}
