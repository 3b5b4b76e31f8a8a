import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { countsOf, formatReport } from '../../report/index.ts';
import { checkImage, type CheckOptions, type CheckResult } from '../check/index.ts';

export interface GateOptions extends Omit<CheckOptions, 'run'> {
  /** Told what was seen before the gate opens or closes, so that both can be recorded. */
  readonly onResult?: ((result: CheckResult) => Promise<void>) | undefined;
}

/**
 * gate holds every platform against the contract and really starts it. It throws `publish/gate` (exit 1)
 * with the findings told, so that nothing leaves the machine.
 */
export async function gate(host: Host, { onResult, ...options }: GateOptions): Promise<CheckResult> {
  const result = await checkImage(host, { ...options, run: 'health', staticFirst: true });
  await onResult?.(result);
  const { errors } = countsOf(result.report.findings);
  if (errors === 0) return result;
  host.story.say(formatReport(result.report, 'table'));
  throw new AppError('publish/gate', 'findings', `the gate is closed: ${errors} errors; nothing was pushed`, {
    expected: 'no error on any platform',
    found: result.report.findings
      .filter(({ severity }) => severity === 'error')
      .map(({ rule }) => rule)
      .join(', '),
    hint: `runner-image check ${result.report.subjects.join(' ')} --health shows each with its remedy`,
  });
}
