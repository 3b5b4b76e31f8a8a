import type { Plan } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import {
  about,
  judgeRuns,
  loadEvidence,
  requirePassed,
  runsOf,
  withRuns,
  writeEvidence,
  type Filed,
  type Gate,
} from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import { countsOf, formatReport } from '../../report/index.ts';
import { builtSource, type BuiltLayout } from '../built.ts';
import { checkImage, type CheckOptions, type CheckResult } from '../check/index.ts';

/** How an image gets through the gate. */
export type Gating =
  /** Here: the contract on every platform, and every platform started. */
  | { readonly $case: 'start'; readonly check: GateCheck }
  /** The contract here; what was seen of the started platforms is in the evidence (`check --run --evidence`). */
  | { readonly $case: 'recorded-runs'; readonly check: GateCheck }
  /** It passed on another machine: this file says so. */
  | { readonly $case: 'recorded'; readonly evidence: string }
  /** It passed elsewhere, says the caller. */
  | { readonly $case: 'skipped' };

export type GateCheck = Omit<CheckOptions, 'image' | 'run' | 'staticFirst'>;

/**
 * passGate lets an image through and returns its evidence, with what the gate saw; that is written down also when
 * the gate stays closed. Throws `publish/gate` (exit 1), `publish/not-gated`, and what requirePassed throws.
 */
export async function passGate(
  host: Host,
  image: BuiltLayout,
  plan: Plan,
  filed: Filed,
  gating: Gating,
): Promise<Filed> {
  switch (gating.$case) {
    case 'start':
    case 'recorded-runs':
      return await holdAgainstGate(host, image, filed, gating);
    case 'recorded':
      refuseClosed(filed);
      return await passedElsewhere(host, image, plan, gating.evidence);
    case 'skipped':
      refuseClosed(filed);
      return filed;
  }
}

async function holdAgainstGate(
  host: Host,
  image: BuiltLayout,
  filed: Filed,
  { $case, check }: Extract<Gating, { readonly check: GateCheck }>,
): Promise<Filed> {
  const starts = $case === 'start';
  const run = starts ? 'health' : undefined;
  const result = await checkImage(host, { ...check, image: builtSource(image), run, staticFirst: starts });
  const now = host.clock.now();
  const { errors } = countsOf(result.report.findings);
  const seen = withRuns(filed, runsOf({ ...result, errors }, now));
  // Nothing is started where the layers alone keep the gate closed.
  const unproven = starts && errors > 0 ? [] : judgeRuns(seen);
  const gate = gateOf(result, unproven, now);
  const evidence = await writeEvidence(host, { file: filed.file, evidence: { ...seen, gate } });
  if (gate.passed) return evidence;
  host.story.say(formatReport(result.report, 'table'));
  throw new AppError('publish/gate', 'findings', `the gate is closed: ${gate.errors} errors; nothing was pushed`, {
    expected: 'no error on any platform, and each seen to run',
    found: gate.broken.join('; '),
    where: { file: filed.file },
    hint: `runner-image check ${result.report.subjects.join(' ')} --health shows each with its remedy`,
  });
}

/** gateOf is what the gate saw: findings of the contract, and platforms that were not seen to run well. */
export function gateOf({ report }: Pick<CheckResult, 'report'>, unproven: readonly string[], now: Date): Gate {
  const { errors, warnings } = countsOf(report.findings);
  const rules = report.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
  return {
    passed: errors + unproven.length === 0,
    at: now.toISOString(),
    errors: errors + unproven.length,
    warnings,
    waived: report.findings.filter(({ waived }) => waived !== undefined).length,
    broken: [...[...new Set(rules)].sort(), ...unproven],
  };
}

/** The evidence that was handed over is the one that later steps extend. */
async function passedElsewhere(host: Host, { digest }: BuiltLayout, { variant }: Plan, file: string): Promise<Filed> {
  const handed = about(await loadEvidence(host, file), digest);
  requirePassed(handed);
  if (handed.evidence.variant === variant) return handed;
  throw new AppError('publish/not-gated', 'findings', 'the evidence is about another variant', {
    expected: variant,
    found: handed.evidence.variant,
    where: { file },
  });
}

/** A caller who says that the gate was passed elsewhere is not believed over what was seen here. */
function refuseClosed({ file, evidence: { gate } }: Filed): void {
  if (gate?.passed !== false) return;
  throw new AppError('publish/gate', 'findings', 'the gate was closed to this very image; nothing was pushed', {
    expected: 'no error on any platform',
    found: gate.broken.join('; '),
    where: { file },
    hint: 'publish without --skip-gate to hold it against the gate again',
  });
}
