import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { findEvidence, type EvidencePlace, type Filed } from './store.ts';

/** requirePassed throws `trust/no-gate` (exit 2) when no gate is recorded, `trust/gate-closed` (exit 1) when it failed. */
export function requirePassed({ file, evidence: { digest, gate } }: Filed): void {
  if (gate === undefined)
    throw new AppError('trust/no-gate', 'usage', 'no gate is recorded for this image', {
      expected: `a gate that passed for ${digest}`,
      found: 'evidence without a gate',
      where: { file },
      hint: 'runner-image publish --dry-run holds it against the gate',
    });
  if (gate.passed) return;
  throw new AppError('trust/gate-closed', 'findings', 'the gate failed for this digest', {
    expected: 'no error on any platform',
    found: gate.broken.join(', '),
    where: { file },
    hint: 'runner-image check shows each with its remedy',
  });
}

/**
 * demandGate lets only an index through whose gate is recorded as passed, for exactly this digest. Throws
 * `trust/no-gate` (exit 2) when nothing is recorded, what requirePassed throws, and what findEvidence throws.
 */
export async function demandGate(host: Host, place: EvidencePlace): Promise<void> {
  const found = await findEvidence(host, place);
  if (found?.evidence.gate !== undefined) {
    requirePassed(found);
    return;
  }
  throw new AppError('trust/no-gate', 'usage', 'refusing to sign: no gate is recorded for this digest', {
    expected: `a gate that passed for ${place.digest}`,
    found: found === undefined ? 'no evidence of it under dist/' : 'evidence without a gate',
    where: found === undefined ? undefined : { file: found.file },
    hint: 'publish it from here, hand over its evidence.json (--evidence FILE), or say why not (--without-gate REASON)',
  });
}
