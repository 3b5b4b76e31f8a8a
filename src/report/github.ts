import type { Severity } from '../core/finding.ts';
import { commandData, commandProperty } from '../errors/index.ts';
import { spotOf, type Report } from './report.ts';

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** formatAnnotations returns one workflow command per finding; GitHub shows them at the line in the pull request. */
export function formatAnnotations(report: Report): string {
  return report.findings
    .map((finding) => {
      const { location, severity, rule, message, remediation } = finding;
      const file = location.$case === 'file' ? location.file : report.artifact;
      const place = location.$case === 'file' ? { line: String(location.line), col: String(location.column) } : {};
      const properties = Object.entries({ ...(file !== undefined && { file }), ...place, title: rule });
      const list = properties.map(([name, value]) => `${name}=${commandProperty(value)}`).join(',');
      const text = location.$case === 'file' ? message : `${spotOf(finding)}: ${message}`;
      return `::${commands[severity]} ${list}::${commandData(`${text}\n${remediation}`)}`;
    })
    .join('\n');
}
