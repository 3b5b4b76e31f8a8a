import { isLoopback, type Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { contradictions, otherImages } from './consistency.ts';
import { findEvidence, type EvidencePlace, type Filed } from './store.ts';

function contradicts({ file, evidence: { digest } }: Filed, problems: readonly string[]): AppError {
  return new AppError('trust/gate-record', 'usage', 'the record of the gate contradicts itself or the image', {
    expected: `one record of ${digest}, as \`build\`, \`check\` and \`publish\` write it`,
    found: problems.slice(0, 10).join('; '),
    where: { file },
    hint: 'hold the image against the gate again: runner-image publish --dry-run',
  });
}

/**
 * requirePassed throws `trust/no-gate` (exit 2) when no gate is recorded, `trust/gate-record` (exit 2) when the record
 * contradicts itself, `trust/gate-closed` (exit 1) when the gate failed.
 */
export function requirePassed(filed: Filed): void {
  const { file, evidence } = filed;
  const { digest, gate } = evidence;
  if (gate === undefined)
    throw new AppError('trust/no-gate', 'usage', 'no gate is recorded for this image', {
      expected: `a gate that passed for ${digest}`,
      found: 'evidence without a gate',
      where: { file },
      hint: 'runner-image publish --dry-run holds it against the gate',
    });
  const problems = contradictions(evidence);
  if (problems.length > 0) throw contradicts(filed, problems);
  if (gate.passed) return;
  throw new AppError('trust/gate-closed', 'findings', 'the gate failed for this digest', {
    expected: 'no error on any platform',
    found: gate.broken.join(', '),
    where: { file },
    hint: 'runner-image check shows each with its remedy',
  });
}

/** ToSign is an index as it lies in a registry. */
export interface ToSign {
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly images: readonly { readonly manifest: Digest; readonly platform?: string | undefined }[];
}

/**
 * demandSameImages throws `trust/gate-record` (exit 2) when the record is about other images than the index in the
 * registry, and what refuseLab throws.
 */
export function demandSameImages(filed: Filed, index: ToSign): void {
  const problems = otherImages(filed.evidence, index.images);
  if (problems.length > 0) throw contradicts(filed, problems);
  refuseLab(filed, index);
}

/** refuseLab throws `trust/lab` (exit 2): a lab's image is made of stand-ins, and no signature may leave with it. */
export function refuseLab({ file, evidence }: Filed, { registry }: Pick<ToSign, 'registry'>): void {
  if (!evidence.lab || isLoopback(registry)) return;
  throw new AppError('trust/lab', 'usage', 'an image of the lab is signed nowhere else', {
    expected: 'a registry on loopback, or an image that was built from the real upstreams',
    found: registry,
    where: { file },
  });
}

/**
 * demandGate lets only an index through whose gate is recorded as passed, for exactly this digest, and returns the
 * record. Throws `trust/no-gate` (exit 2) when nothing is recorded, what requirePassed throws, and what findEvidence
 * throws.
 */
export async function demandGate(host: Host, place: EvidencePlace): Promise<Filed> {
  const found = await findEvidence(host, place);
  if (found?.evidence.gate !== undefined) {
    requirePassed(found);
    return found;
  }
  throw new AppError('trust/no-gate', 'usage', 'refusing to sign: no gate is recorded for this digest', {
    expected: `a gate that passed for ${place.digest}`,
    found: found === undefined ? 'no evidence of it under dist/' : 'evidence without a gate',
    where: found === undefined ? undefined : { file: found.file },
    hint: 'publish it from here, hand over its evidence.json (--evidence FILE), or say why not (--without-gate REASON)',
  });
}

/** demandReason throws `trust/no-reason` (exit 2): the way around the gate is kept as evidence, with its reason. */
export function demandReason(reason: string): void {
  if (reason.trim() !== '') return;
  throw new AppError('trust/no-reason', 'usage', 'signing without a gate needs a reason', {
    expected: '--without-gate REASON, which is kept as evidence',
    found: 'an empty one',
  });
}
