import { join } from 'node:path';
import type { Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { evidenceSchema, type Evidence } from './schema.ts';

const maxEvidenceBytes = 4 * 1024 * 1024;

/** evidenceFile is where a variant's evidence lies: in its layout, so that both travel together. */
export const evidenceFile = (layout: string): string => join(layout, 'evidence.json');

/** Filed is evidence and the file it came from. */
export interface Filed {
  readonly file: string;
  readonly evidence: Evidence;
}

/** loadEvidence reads a file that has to be there. Throws `evidence/malformed`. */
export async function loadEvidence(host: Host, file: string): Promise<Filed> {
  try {
    const text = await host.files.readText(file, maxEvidenceBytes);
    return { file, evidence: evidenceSchema.parse(JSON.parse(text)) };
  } catch (cause) {
    throw new AppError('evidence/malformed', 'usage', 'the evidence cannot be read', {
      expected: 'evidence.json, as `build`, `join` and `publish` write it',
      where: { file },
      hint: 'hand over the file of the step before, or build the image again: runner-image build --force',
      cause,
    });
  }
}

/** readEvidence reads a layout's own evidence; undefined where there is no file. Throws `evidence/malformed`. */
export async function readEvidence(host: Host, layout: string): Promise<Filed | undefined> {
  const file = evidenceFile(layout);
  return (await host.files.stat(file)) === undefined ? undefined : await loadEvidence(host, file);
}

/** writeEvidence writes the whole file or nothing of it; where it says the same already, nothing. */
export async function writeEvidence(host: Host, { file, evidence }: Filed): Promise<Filed> {
  const text = `${JSON.stringify(evidenceSchema.parse(evidence), null, 2)}\n`;
  const there = await host.files.readText(file, maxEvidenceBytes).catch(() => undefined);
  if (there !== text) await host.files.write(file, text);
  return { file, evidence };
}

/** EvidencePlace says where the evidence of an index is looked for. */
export interface EvidencePlace {
  /** The project, under whose dist/ every variant's layout lies. */
  readonly root: string;
  readonly digest: Digest;
  /** This file and no other: it has to be there and to be about the digest. */
  readonly evidence?: string | undefined;
}

/**
 * findEvidence returns the evidence of an index: that of the file that was named, otherwise what was built here
 * (dist/<variant>). Throws `evidence/malformed` and `evidence/other-image` for a file that was named and does not fit.
 */
export async function findEvidence(host: Host, place: EvidencePlace): Promise<Filed | undefined> {
  const { root, digest, evidence: file } = place;
  if (file !== undefined) return about(await loadEvidence(host, file), digest);
  const dist = join(root, 'dist');
  if ((await host.files.stat(dist)) === undefined) return undefined;
  for (const variant of await host.files.list(dist)) {
    // Another variant's damaged file must not stop this one; this one's counts as missing.
    const found = await readEvidence(host, join(dist, variant)).catch(() => undefined);
    if (found?.evidence.digest === digest) return found;
  }
  return undefined;
}

/** about throws `evidence/other-image` unless the evidence is about this index. */
export function about(filed: Filed, digest: Digest): Filed {
  if (filed.evidence.digest === digest) return filed;
  throw new AppError('evidence/other-image', 'usage', 'the evidence is about another index', {
    expected: digest,
    found: filed.evidence.digest,
    where: { file: filed.file },
  });
}

/**
 * extendEvidence adds what a later step saw. Nothing is written where there is no evidence of this
 * index: a consumer who verifies has none, and half a file would look like a whole one. Throws what findEvidence throws.
 */
export async function extendEvidence(
  host: Host,
  place: EvidencePlace,
  change: (evidence: Evidence) => Evidence,
): Promise<Filed | undefined> {
  const found = await findEvidence(host, place);
  if (found === undefined) return undefined;
  return await writeEvidence(host, { file: found.file, evidence: change(found.evidence) });
}
