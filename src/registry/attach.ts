import { digestOf, type Digest } from '../core/digest.ts';
import { maxManifestBytes, mediaTypes } from '../core/media-types.ts';
import type { Descriptor } from '../core/oci.ts';
import { AppError } from '../errors/index.ts';
import { eachLimited, mapLimited } from '../core/limit.ts';
import { putManifest } from './manifest.ts';
import { readNode, unique, type Node } from './node.ts';
import { fallbackTag, listReferrers, readFallback } from './list-referrers.ts';
import { formatRepository, type Repository } from './repository.ts';
import { backoff } from '../core/retry.ts';
import type { Transport } from './transport.ts';

/** How the referrer became findable. `api`: filed without a word (Quay), possibly visible only later. */
export type Filed = 'header' | 'api' | 'fallback';

export interface Attached {
  readonly descriptor: Descriptor;
  readonly filed: Filed;
}

/** Writers of one fallback tag within this process, one after the other. */
const queues = new Map<string, Promise<unknown>>();

async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.catch(() => undefined);
  queues.set(key, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(key) === settled) queues.delete(key);
  }
}

const writes = 6;

/** fallbackIndex leaves out the annotations, which readers find in each manifest, where they make the list too large. */
function fallbackIndex(manifests: readonly Descriptor[]): Buffer {
  const bytesOf = (list: readonly Descriptor[]): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: list }));
  const whole = bytesOf(manifests);
  if (whole.length <= maxManifestBytes) return whole;
  return bytesOf(
    manifests.map(({ mediaType, digest, size, artifactType }) => ({ mediaType, digest, size, artifactType })),
  );
}

/**
 * fileInFallback adds entries to the fallback index, which held `known` a moment ago, and reads it again, since
 * writers elsewhere know no lock.
 */
async function fileInFallback(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  entries: readonly Descriptor[],
  known: readonly Descriptor[],
): Promise<void> {
  const tag = fallbackTag(subject);
  const ours = new Set(entries.map(({ digest }) => digest));
  let before: readonly Descriptor[] = [];
  let now = known;
  for (let write = 1; ; write += 1) {
    const there = new Set(now.map(({ digest }) => digest));
    // Entries that another writer lost between our reading and writing are put back, too.
    const wanted = unique([...now.filter(({ digest }) => !ours.has(digest)), ...before, ...entries]);
    if (wanted.every(({ digest }) => there.has(digest))) return;
    if (write > writes)
      throw new AppError('registry/referrers', 'upstream', `the referrers tag ${tag} is overwritten again and again`, {
        where: { file: formatRepository(repo) },
        expected: `an entry for ${[...ours].filter((digest) => !there.has(digest)).join(', ')}`,
        hint: 'another job signs the same image: let it end, then run it again',
      });
    if (write > 1) await wire.host.clock.sleep(backoff(wire.policy, write - 1), wire.host.signal);
    await putManifest(wire, repo, fallbackIndex(wanted), mediaTypes.index, tag);
    before = wanted;
    now = (await readFallback(wire, repo, subject))?.descriptors ?? [];
  }
}

/** referrerDescriptor is the list entry of a referrer, as the API builds it (distribution spec, "Listing Referrers"). */
export function referrerDescriptor(bytes: Uint8Array, node: Node): Descriptor {
  return {
    mediaType: node.mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    artifactType: node.artifactType,
    annotations: { ...node.annotations },
  };
}

interface Put {
  readonly attached: { descriptor: Descriptor; filed: Filed };
  readonly subject: Digest;
}

async function put(wire: Transport, repo: Repository, bytes: Uint8Array): Promise<Put> {
  const node = readNode(bytes, undefined, 'the manifest to attach');
  const { subject } = node;
  if (subject === undefined)
    throw new AppError('registry/referrers', 'usage', 'the manifest to attach names no subject');
  const { subjectFiled } = await putManifest(wire, repo, bytes, node.mediaType);
  const descriptor = referrerDescriptor(bytes, node);
  return { attached: { descriptor, filed: subjectFiled ? 'header' : 'fallback' }, subject: subject.digest };
}

/** findable sees to it that what was put without an OCI-Subject in the answer is found from its subject. */
async function findable(wire: Transport, repo: Repository, subject: Digest, silent: readonly Put[]): Promise<void> {
  await inTurn(`${formatRepository(repo)}:${fallbackTag(subject)}`, async () => {
    const { via, descriptors } = await listReferrers(wire, repo, subject);
    for (const { attached } of silent) attached.filed = via;
    const entries = silent.map(({ attached }) => attached.descriptor);
    if (via === 'fallback') await fileInFallback(wire, repo, subject, entries, descriptors);
  });
}

/**
 * attachAll writes manifests that have a subject and makes sure that they can be found from there: the
 * registry says so (OCI-Subject), has the API, or else the subject's fallback tag is updated, once for all of
 * them. The blobs must be there. Throws RegistryError or `registry/referrers`.
 */
export async function attachAll(
  wire: Transport,
  repo: Repository,
  manifests: readonly Uint8Array[],
): Promise<Attached[]> {
  const done = await mapLimited(manifests, 4, async (bytes) => put(wire, repo, bytes));
  const bySubject = new Map<Digest, Put[]>();
  for (const one of done)
    if (one.attached.filed !== 'header') bySubject.set(one.subject, [...(bySubject.get(one.subject) ?? []), one]);
  await eachLimited([...bySubject], 4, async ([subject, all]) => findable(wire, repo, subject, all));
  return done.map(({ attached }) => attached);
}

/** Quay's list may be 60 s old. */
const patience = 90_000;

/**
 * awaitReferrers waits until the registry lists all of `digests` under a subject. Throws
 * `registry/referrers` naming what is still missing after `timeout` milliseconds.
 */
export async function awaitReferrers(
  wire: Transport,
  repo: Repository,
  subject: Digest,
  digests: readonly Digest[],
  timeout = patience,
): Promise<void> {
  const { clock, signal, progress } = wire.host;
  const end = clock.now().getTime() + timeout;
  for (let look = 1; ; look += 1) {
    const listed = new Set((await listReferrers(wire, repo, subject)).descriptors.map(({ digest }) => digest));
    const missing = digests.filter((digest) => !listed.has(digest));
    if (missing.length === 0) return;
    const left = end - clock.now().getTime();
    if (left <= 0)
      throw new AppError(
        'registry/referrers',
        'upstream',
        `${formatRepository(repo)} does not list what was attached`,
        {
          expected: missing.join(', '),
          found: `${listed.size} other referrers of ${subject} after ${timeout / 1000} s`,
          hint: 'run it again: what is attached already is kept',
        },
      );
    if (look === 1)
      progress.say(`${formatRepository(repo)}: waiting until the referrers are listed (a cache may be 60 s old)`);
    await clock.sleep(Math.min(left, 10_000, 1000 * 2 ** (look - 1)), signal);
  }
}
