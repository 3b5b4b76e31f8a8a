import * as z from 'zod';
import { hexOf, type Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Fetched, Registry, Repository } from '../../registry/index.ts';
import { entryIdentity, isBundleType, leafHash, maxBundleBytes, type Identity } from '../../sigstore/index.ts';
import { readSmall } from '../blob.ts';
import { readTree } from '../trust/tree.ts';

/** Tags of one repository, and entries of all: more is not read, and then nothing is concluded. */
const maxTags = 1_000;
const maxEntries = 20_000;

/** The log entries of what a repository holds: by the hash of their leaf, whose certificate each names. */
export type PublishedEntries = Map<string, Identity | undefined>;

const bundle = z.object({
  verificationMaterial: z.object({ tlogEntries: z.array(z.object({ canonicalizedBody: z.base64() })).max(4) }),
  dsseEnvelope: z.object({ payload: z.base64() }).optional(),
});
const statement = z.object({ subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })) });
/** What cosign 2 keeps beside a layer: the promise of the log, over the entry. */
const legacy = z.object({ Payload: z.object({ body: z.base64() }) });

function keep(entries: PublishedEntries, body: string): void {
  const bytes = Buffer.from(body, 'base64');
  entries.set(leafHash(bytes), entryIdentity(bytes));
  if (entries.size > maxEntries)
    throw new AppError('ci/watch-identity', 'upstream', 'too much is published to be compared with the log', {
      expected: `at most ${maxEntries} log entries`,
    });
}

/** json returns what a text says, where it has the form; rubbish that others attached is none of ours. */
function json<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A bundle counts as published only for the image that it is about: attached to another one it vouches for nothing. */
function keepBundle(entries: PublishedEntries, bytes: Buffer, subject: Digest): void {
  const { verificationMaterial, dsseEnvelope } = json(bundle, bytes.toString('utf8')) ?? {};
  if (verificationMaterial === undefined || dsseEnvelope === undefined) return;
  const said = json(statement, Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8'));
  if (said?.subject.some(({ digest }) => digest['sha256'] === hexOf(subject)) !== true) return;
  for (const { canonicalizedBody } of verificationMaterial.tlogEntries) keep(entries, canonicalizedBody);
}

function keepLegacy(entries: PublishedEntries, { node }: Fetched): void {
  for (const { annotations } of node.blobs) {
    const body = json(legacy, annotations?.['dev.sigstore.cosign/bundle'] ?? '')?.Payload.body;
    if (body !== undefined) keep(entries, body);
  }
}

/** publishedEntries reads every tag's tree, and the log entries in what is attached to it. Throws RegistryError. */
export async function publishedEntries(registry: Registry, repo: Repository): Promise<PublishedEntries> {
  const entries: PublishedEntries = new Map();
  const seen = new Set<Digest>();
  const tags = await registry.tags(repo, maxTags);
  if (tags.length >= maxTags)
    throw new AppError('ci/watch-identity', 'upstream', `${repo.repository} has too many tags to be compared`, {
      expected: `less than ${maxTags}`,
    });
  for (const tag of tags) {
    // The fallback tag's list is read by the image that it is about.
    if (/^sha256-[0-9a-f]{64}$/.test(tag)) continue;
    if (/^sha256-[0-9a-f]{64}\.(?:sig|att)$/.test(tag)) {
      keepLegacy(entries, await registry.manifest({ ...repo, tag }));
      continue;
    }
    const tree = await readTree(registry, { ...repo, tag });
    for (const { descriptor } of tree.nodes) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      const { referrers } = await registry.referrers(repo, descriptor.digest);
      for (const { fetched } of referrers) {
        const layer = fetched.node.blobs.find(({ mediaType }) => isBundleType(mediaType));
        if (layer === undefined || layer.size > maxBundleBytes) continue;
        keepBundle(entries, await readSmall(registry, repo, layer, maxBundleBytes), descriptor.digest);
      }
    }
  }
  return entries;
}
