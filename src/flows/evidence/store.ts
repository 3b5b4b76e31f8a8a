import { join } from 'node:path';
import type { Digest } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { evidenceSchema, type Evidence } from './schema.ts';

export const maxEvidenceBytes = 4 * 1024 * 1024;

/** evidenceFile is where a variant's evidence lies: in its layout, so that both travel together. */
export const evidenceFile = (layout: string): string => join(layout, 'evidence.json');

/** readEvidence gives undefined where there is no such file. Throws `evidence/malformed`. */
export async function readEvidence(host: Host, file: string): Promise<Evidence | undefined> {
  if ((await host.files.stat(file)) === undefined) return undefined;
  const text = await host.files.readText(file, maxEvidenceBytes);
  try {
    return evidenceSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('evidence/malformed', 'usage', 'the evidence cannot be read', {
      where: { file },
      hint: 'remove it, then `runner-image publish` writes it anew',
      cause,
    });
  }
}

/** writeEvidence writes the whole file or nothing of it; where it says the same already, nothing. */
export async function writeEvidence(host: Host, file: string, evidence: Evidence): Promise<void> {
  const text = `${JSON.stringify(evidenceSchema.parse(evidence), null, 2)}\n`;
  const there = await host.files.readText(file, maxEvidenceBytes).catch(() => undefined);
  if (there !== text) await host.files.write(file, text);
}

/** EvidencePlace says where the evidence of an index is looked for. */
export interface EvidencePlace {
  /** The project, under whose dist/ every variant's layout lies. */
  readonly root: string;
  readonly digest: Digest;
  /** This file and no other. */
  readonly evidence?: string | undefined;
}

export interface Filed {
  readonly file: string;
  readonly evidence: Evidence;
}

/** findEvidence looks among what was built here (dist/<variant>) for the evidence of one index. */
export async function findEvidence(host: Host, root: string, digest: Digest): Promise<Filed | undefined> {
  const dist = join(root, 'dist');
  if ((await host.files.stat(dist)) === undefined) return undefined;
  for (const variant of await host.files.list(dist)) {
    const file = evidenceFile(join(dist, variant));
    const evidence = await readEvidence(host, file).catch(() => undefined);
    if (evidence?.digest === digest) return { file, evidence };
  }
  return undefined;
}

/**
 * completeEvidence adds what a later step saw. Nothing is written where there is no evidence of this
 * index: a consumer who verifies has none, and half a file would look like a whole one.
 */
export async function completeEvidence(
  host: Host,
  place: EvidencePlace,
  change: (evidence: Evidence) => Evidence,
): Promise<Filed | undefined> {
  const found = await evidenceAt(host, place);
  if (found === undefined) return undefined;
  const evidence = change(found.evidence);
  await writeEvidence(host, found.file, evidence);
  return { file: found.file, evidence };
}

/** evidenceAt gives the evidence of the index; a file about another one, or the record of `ci gate`, is none. */
export async function evidenceAt(host: Host, place: EvidencePlace): Promise<Filed | undefined> {
  const { root, digest, evidence: file } = place;
  if (file === undefined) return await findEvidence(host, root, digest);
  const evidence = await readEvidence(host, file).catch(() => undefined);
  return evidence?.digest === digest ? { file, evidence } : undefined;
}
