import type { Platform } from '../core/index.ts';
import { compareVersions } from '../core/version.ts';
import { examineEngines, type Diagnosis, type EngineReport } from '../engines/index.ts';
import type { Host } from '../host/index.ts';

export interface DoctorResult extends EngineReport {
  /** Every platform can be built here, and nothing else stands in the way. */
  readonly healthy: boolean;
}

function node(version: string): Diagnosis {
  const enough = (compareVersions(version, '24.16.0') ?? -1) >= 0;
  const found = `Node ${version}`;
  if (enough) return { subject: 'node', state: 'ok', found };
  return { subject: 'node', state: 'lacking', found, mend: 'install Node 24.16 or later (nodejs.org, nvm install 24)' };
}

/**
 * doctor says what this machine lacks. One engine that builds every platform is enough: another
 * that is missing is shown with its command, and does not make the machine unhealthy.
 */
export async function doctor(host: Host, root: string, platforms?: readonly Platform[]): Promise<DoctorResult> {
  const report = await examineEngines(host, root, platforms);
  const diagnoses = [node(process.versions.node), ...report.diagnoses];
  const essential = diagnoses.filter(({ subject }) => subject === 'node' || subject.startsWith('disk '));
  const healthy = report.chosen !== undefined && essential.every(({ state }) => state === 'ok');
  return { ...report, diagnoses, healthy };
}

/** renderDoctor returns the table for a terminal: what was found, then what to type. */
export function renderDoctor(result: DoctorResult): string {
  const width = Math.max(...result.diagnoses.map(({ subject }) => subject.length));
  const lines = result.diagnoses.flatMap(({ subject, state, found, mend }) => [
    `${state === 'ok' ? 'ok     ' : 'lacking'}  ${subject.padEnd(width)}  ${found}`,
    ...(mend === undefined ? [] : [`         ${' '.repeat(width)}  do: ${mend}`]),
  ]);
  const platforms = Object.entries(result.engines).map(
    ([platform, engines]) => `${platform}: ${engines.length === 0 ? 'no engine builds it here' : engines.join(', ')}`,
  );
  const verdict = result.healthy
    ? `build will use ${result.chosen ?? ''}`
    : 'this machine cannot build every platform yet: one engine that can is enough';
  return [...lines, '', ...platforms, verdict].join('\n');
}
