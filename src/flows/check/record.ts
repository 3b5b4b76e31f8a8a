import { loadEvidence, runsOf, withRuns, writeEvidence } from '../../evidence/index.ts';
import type { Host } from '../../host/index.ts';
import { countsOf } from '../../report/index.ts';
import type { CheckResult } from './check.ts';

/**
 * recordRuns adds to an index's evidence what was seen of its started images, passed or failed. Throws
 * `evidence/malformed`, and `evidence/other-image` when it is about other images than those that were started.
 */
export async function recordRuns(host: Host, file: string, result: CheckResult): Promise<void> {
  const filed = await loadEvidence(host, file);
  const { errors } = countsOf(result.report.findings);
  const runs = runsOf({ ...result, errors }, host.clock.now());
  await writeEvidence(host, { file, evidence: withRuns(filed, runs) });
}
