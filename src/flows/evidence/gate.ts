import { isPlatform } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { countsOf } from '../../report/index.ts';
import type { CheckResult } from '../check/index.ts';
import { recordSchema, type GateEvidence } from './schema.ts';
import { findEvidence, maxEvidenceBytes, type EvidencePlace } from './store.ts';

/** gateEvidence is what the gate saw, on every platform. */
export function gateEvidence(result: CheckResult, now: Date): GateEvidence {
  const { findings } = result.report;
  const { errors, warnings } = countsOf(findings);
  const broken = findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
  return {
    passed: errors === 0,
    at: now.toISOString(),
    errors,
    warnings,
    waived: findings.filter(({ waived }) => waived !== undefined).length,
    broken: [...new Set(broken)].sort(),
    platforms: result.pictures.flatMap(({ platform, manifestDigest }) => {
      // Of another platform nothing is recorded, so that no step takes it for an image that passed.
      if (!isPlatform(platform)) return [];
      const checks = result.probes
        .filter((probe) => probe.platform === platform)
        .flatMap((probe) => probe.checks.map(({ check, state }) => ({ check, state })));
      return [{ platform, manifest: manifestDigest, checks }];
    }),
  };
}

async function recordedGate(host: Host, { root, digest, evidence: file }: EvidencePlace) {
  if (file === undefined) {
    const filed = await findEvidence(host, root, digest);
    return filed === undefined ? undefined : { digest, gate: filed.evidence.gate, file: filed.file };
  }
  const value = recordSchema.safeParse(await json(host, file));
  if (!value.success)
    throw new AppError('trust/no-gate', 'usage', 'neither evidence nor the record of a gate', {
      where: { file },
      expected: 'evidence.json of `publish`, or what `ci gate --output` wrote',
    });
  const { data } = value;
  if (!('pins' in data)) return { digest: data.digest, gate: { passed: true, broken: [] as string[] }, file };
  return { digest: data.digest, gate: data.gate, file };
}

async function json(host: Host, file: string): Promise<unknown> {
  try {
    return JSON.parse(await host.files.readText(file, maxEvidenceBytes));
  } catch (cause) {
    throw new AppError('trust/no-gate', 'usage', 'the evidence cannot be read', { where: { file }, cause });
  }
}

/**
 * demandGate lets only an index through whose gate is recorded as passed, for exactly this digest. Throws
 * `trust/no-gate` (exit 2) when nothing is recorded, `trust/gate-closed` (exit 1) when it did not pass.
 */
export async function demandGate(host: Host, demand: EvidencePlace): Promise<void> {
  const found = await recordedGate(host, demand);
  const where = found === undefined ? {} : { where: { file: found.file } };
  if (found?.digest !== demand.digest || found.gate === undefined)
    throw new AppError('trust/no-gate', 'usage', 'nothing is signed before the gate', {
      expected: `a gate that passed for ${demand.digest}`,
      found:
        found === undefined
          ? 'no evidence of it under dist/'
          : found.digest === demand.digest
            ? 'evidence without a gate'
            : `the gate of ${found.digest}`,
      ...where,
      hint: 'publish it from here, hand over its evidence.json (--evidence FILE), or say why not (--without-gate REASON)',
    });
  if (found.gate.passed) return;
  throw new AppError('trust/gate-closed', 'findings', 'what the gate did not let through is not signed', {
    expected: 'no error on any platform',
    found: found.gate.broken.join(', '),
    ...where,
    hint: 'runner-image check shows each with its remedy',
  });
}
