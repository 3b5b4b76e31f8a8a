import { judgeRuns, runsOf, withRuns, writeEvidence, type Filed, type Gate } from '../../evidence/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { countsOf, formatReport } from '../../report/index.ts';
import { builtSource, type BuiltLayout } from '../built.ts';
import { checkImage, type CheckResult } from '../check/index.ts';
import type { GateCheck, Gating } from './gate.ts';

/** holdAgainstGate checks the contract, and that every platform was seen to run, here or as its evidence records. */
export async function holdAgainstGate(
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
  host.progress.show(formatReport(result.report, 'table'));
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
