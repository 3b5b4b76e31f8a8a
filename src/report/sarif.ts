import { createHash } from 'node:crypto';
import type { Finding, Location, RuleInfo, Severity } from '../core/finding.ts';
import type { Report } from './report.ts';

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  note: 'note',
};
/** GitHub sorts by this number (0.0 to 10.0). */
const securitySeverity: Readonly<Record<Severity, string>> = { error: '7.0', warning: '4.0', note: '1.0' };

/** `contract/user-non-root` → `UserNonRoot`. */
function pascal(id: string): string {
  return id
    .slice(id.indexOf('/') + 1)
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}

function ruleOf(rule: RuleInfo): object {
  return {
    id: rule.id,
    name: pascal(rule.id),
    shortDescription: { text: rule.summary },
    fullDescription: { text: rule.summary },
    help: {
      text: `${rule.summary}\n\n${rule.remediation}`,
      markdown: `${rule.summary}\n\n**Remedy:** ${rule.remediation}`,
    },
    defaultConfiguration: { level: levels[rule.severity] },
    properties: {
      tags: ['supply-chain', ...(rule.section === undefined ? [] : [`section-${rule.section}`])],
      'security-severity': securitySeverity[rule.severity],
    },
  };
}

/** A relative URI: segments encoded, `./` dropped, `/` kept (RFC 3986). */
export function toUri(path: string): string {
  return path
    .replace(/^\.\//, '')
    .replace(/^\/+/, '')
    .split('/')
    .map((segment) => encodeURIComponent(segment.toWellFormed()))
    .join('/');
}

function logical(location: Exclude<Location, { $case: 'file' }>, platform: string | undefined): object[] {
  const on = platform === undefined ? '' : `${platform}:`;
  switch (location.$case) {
    case 'path':
      return [{ name: location.path, fullyQualifiedName: `${on}${location.path}`, kind: 'resource' }];
    case 'config':
      return [{ name: location.key, fullyQualifiedName: `${on}config.${location.key}`, kind: 'member' }];
    case 'image':
      return [{ name: 'image', fullyQualifiedName: `${on}image`, kind: 'module' }];
  }
}

function locationOf(report: Report, { location, platform }: Finding): object {
  if (location.$case === 'file') {
    const region = { startLine: location.line, startColumn: location.column };
    return { physicalLocation: { artifactLocation: { uri: toUri(location.file) }, region } };
  }
  return {
    physicalLocation: {
      artifactLocation: { uri: toUri(report.artifact ?? 'image') },
      region: { startLine: 1, startColumn: 1 },
    },
    logicalLocations: logical(location, platform),
  };
}

/** Says "the same finding" over runs: no line numbers in it, which move with every edit above. */
export function fingerprintOf(report: Report, { rule, subject, location, platform }: Finding): string {
  const place =
    location.$case === 'file'
      ? location.file
      : location.$case === 'path'
        ? location.path
        : location.$case === 'config'
          ? location.key
          : '';
  const parts = [
    rule,
    subject,
    location.$case,
    place,
    platform ?? '',
    location.$case === 'file' ? '' : (report.artifact ?? ''),
  ];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

/**
 * toSarif returns a SARIF 2.1.0 log with one run
 * (https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html), in the shape that GitHub code
 * scanning takes: every result has a physical location, rules are listed, paths are relative.
 */
export function toSarif(report: Report): unknown {
  const known = new Map(report.rules.map((rule, index) => [rule.id, index]));
  const seen = new Map<string, number>();
  const result = (finding: Finding, justification?: string): object => {
    const fingerprint = fingerprintOf(report, finding);
    // Two equal findings in one file are distinguished by their order.
    const nth = (seen.get(fingerprint) ?? 0) + 1;
    seen.set(fingerprint, nth);
    const index = known.get(finding.rule);
    const waived =
      finding.waived === undefined
        ? []
        : [
            {
              kind: 'external',
              status: 'accepted',
              justification: `${finding.waived.reason} (${finding.waived.owner}, until ${finding.waived.expires})`,
            },
          ];
    const ignored = justification === undefined ? [] : [{ kind: 'inSource', status: 'accepted', justification }];
    const suppressions = [...waived, ...ignored];
    return {
      ruleId: finding.rule,
      ruleIndex: index,
      level: levels[finding.severity],
      // A message may hold links, `[text](target)` (SARIF 2.1.0, 3.11.6): none that a finding quotes is one.
      message: { text: `${finding.message}. ${finding.remediation}`.replaceAll('](', '] (') },
      locations: [locationOf(report, finding)],
      partialFingerprints: { 'runnerImage/v1': `${fingerprint}:${nth}` },
      ...(suppressions.length === 0 ? {} : { suppressions }),
      properties: {
        subject: finding.subject,
        platform: finding.platform,
      },
    };
  };
  const results = [
    ...report.findings.map((finding) => result(finding)),
    ...(report.suppressed ?? []).map(({ finding, justification }) => result(finding, justification)),
  ];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'runner-image',
            version: report.version,
            semanticVersion: report.version,
            rules: report.rules.map(ruleOf),
          },
        },
        automationDetails: { id: `runner-image/${report.command}/` },
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

/** formatSarif returns the SARIF log as indented JSON. */
export function formatSarif(report: Report): string {
  return JSON.stringify(toSarif(report), null, 2);
}
