import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Finding, RuleInfo } from '../../src/core/index.ts';
import { lintDockerfile, lintRules } from '../../src/lint/index.ts';
import { formatReport, parseReportFormat, reportFormats, table, toSarif, type Report } from '../../src/report/index.ts';

const rules: readonly RuleInfo[] = [
  {
    id: 'contract/user-non-root',
    severity: 'error',
    section: '3.6',
    summary: 'The user is not root.',
    remediation: 'set USER 1001',
  },
  { id: 'dockerfile/sudo', severity: 'warning', summary: 'No sudo.', remediation: 'drop it' },
  { id: 'contract/size', severity: 'note', summary: 'Size.', remediation: 'remove files' },
];
const image: Finding = {
  rule: 'contract/user-non-root',
  severity: 'error',
  message: 'expected a non-root user, found 0:0',
  subject: 'User',
  section: '3.6',
  remediation: 'set USER 1001',
  location: { $case: 'config', key: 'User' },
  platform: 'linux/arm64',
};
const hostile = 'a|b <script> & "q" \u001b[31m %0A ::error::x\n::warning::y @team [x](y) \u0000 \ud800';
const file: Finding = {
  rule: 'dockerfile/sudo',
  severity: 'warning',
  message: hostile,
  subject: 's',
  remediation: 'drop it',
  location: { $case: 'file', file: 'images/a b,c:d/Dockerfile', line: 3, column: 7 },
};
const path: Finding = {
  ...image,
  rule: 'contract/size',
  severity: 'note',
  location: { $case: 'path', path: '/usr/bin/x', layer: { index: 4 } },
  waived: { reason: 'known', owner: 'team', expires: '2027-01-01' },
};
const whole: Finding = { ...image, location: { $case: 'image' } };
const report: Report = {
  command: 'check',
  version: '0.1.0',
  rules,
  findings: [path, file, image, whole],
  suppressed: [{ finding: { ...file, message: 'silenced' }, justification: 'a reason' }],
  subjects: ['oci:dist/openshell'],
  artifact: 'images/openshell/Dockerfile.openshell',
};
const empty: Report = { command: 'lint', version: '0.1.0', rules, findings: [], subjects: ['Dockerfile'] };

interface SarifLog {
  runs: { results: Record<string, unknown>[]; tool: { driver: { rules: { id: string }[] } } }[];
}
const sarif = (of: Report): SarifLog => toSarif(of) as SarifLog;

/** The schema is draft-04; what it uses means the same in draft-07 once `id` is gone. */
const schemaFile = new URL('../fixtures/sarif/sarif-2.1.0-rtm.5.json', import.meta.url);
const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>;
const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);

describe('the SARIF report', () => {
  it.each([
    ['of image and file findings', report],
    ['of nothing', empty],
    ['of a linted Dockerfile', lintReport()],
  ])('%s is valid by the schema of 2.1.0', (_name, of) => {
    const valid = validate(JSON.parse(formatReport(of, 'sarif')));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('would be found invalid with a wrong level: the schema bites', () => {
    expect(validate(JSON.parse(formatReport(report, 'sarif').replace('"level": "note"', '"level": "bad"')))).toBe(
      false,
    );
  });

  it('gives every result what GitHub code scanning asks for: a rule, a relative URI, a region, a fingerprint', () => {
    const [run] = sarif(report).runs;
    expect(run?.results).toHaveLength(5);
    for (const result of run?.results ?? []) {
      const rule = run?.tool.driver.rules[result['ruleIndex'] as number];
      expect(rule?.id).toBe(result['ruleId']);
      const [location] = result['locations'] as {
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
      }[];
      expect(location?.physicalLocation.artifactLocation.uri).toMatch(/^images\/[^ ,:]+$/);
      expect(location?.physicalLocation.region.startLine).toBeGreaterThan(0);
      expect(Object.values(result['partialFingerprints'] as object)).toHaveLength(1);
    }
  });

  it('keeps a fingerprint when lines move and tells two equal findings apart', () => {
    const prints = (of: Report): unknown[] =>
      (sarif(of).runs[0]?.results ?? []).map((result) => result['partialFingerprints']);
    const moved: Finding = {
      ...file,
      location: { $case: 'file', file: 'images/a b,c:d/Dockerfile', line: 90, column: 1 },
    };
    expect(prints({ ...empty, findings: [moved] })).toEqual(prints({ ...empty, findings: [file] }));
    expect(new Set(prints({ ...empty, findings: [file, moved] }).map((print) => JSON.stringify(print))).size).toBe(2);
  });

  it('marks waived and ignored findings as suppressed', () => {
    const suppressions = (sarif(report).runs[0]?.results ?? []).map((result) => result['suppressions']);
    expect(suppressions).toEqual([
      [{ kind: 'external', status: 'accepted', justification: 'known (team, until 2027-01-01)' }],
      undefined,
      undefined,
      undefined,
      [{ kind: 'inSource', status: 'accepted', justification: 'a reason' }],
    ]);
  });
});

function lintReport(): Report {
  const { findings, suppressed } = lintDockerfile(
    'images/x/Dockerfile',
    'FROM a:latest\nRUN curl x | sh\n# lint: ignore sudo -- the base has no root\nRUN sudo x\n',
  );
  return {
    command: 'lint',
    version: '0.1.0',
    rules: lintRules,
    findings,
    suppressed,
    subjects: ['images/x/Dockerfile'],
  };
}

describe('the JUnit report', () => {
  it('fails a case per rule with errors, and keeps warnings as output', () => {
    const xml = formatReport(report, 'junit');
    expect(xml).toContain('<testsuites name="runner-image check" tests="6" failures="1" errors="0">');
    expect(xml.match(/<failure /g)).toHaveLength(2);
    expect(xml).toContain('<testcase name="contract/size" classname="images/a b,c:d/Dockerfile"/>');
  });

  it('holds no character that XML forbids and no markup from a finding', () => {
    const xml = formatReport(report, 'junit');
    expect(xml).not.toContain('<script>');
    expect(Array.from(xml).filter((c) => c < ' ' && c !== '\n')).toEqual([]);
    expect(Buffer.from(xml, 'utf8').toString('utf8')).toBe(xml);
    const opened = [...xml.matchAll(/<(testsuites|testsuite|testcase|failure|system-out)\b[^>]*?(\/?)>/g)].filter(
      ([, , closed]) => closed === '',
    ).length;
    expect(xml.match(/<\//g)).toHaveLength(opened);
  });
});

describe('the annotations for GitHub', () => {
  it('escape data and properties, so that a finding cannot issue a command', () => {
    const lines = formatReport(report, 'github').split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^::warning file=images\/a b%2Cc%3Ad\/Dockerfile,line=3,col=7,title=dockerfile\/sudo::a\|b /,
    );
    expect(lines[1]).toContain('%250A ::error::x%0A\\u003a:warning::y');
    expect(lines[2]).toBe(
      '::error file=images/openshell/Dockerfile.openshell,title=contract/user-non-root::config User (linux/arm64): expected a non-root user, found 0:0%0Aset USER 1001',
    );
  });
});

describe('the Markdown summary', () => {
  it('puts errors first and escapes bars, HTML, links and mentions', () => {
    const rows = formatReport(report, 'markdown')
      .split('\n')
      .filter((line) => /^\| (error|warning|note) /.test(line));
    expect(rows.map((row) => row.split(' ')[1])).toEqual(['error', 'error', 'warning', 'note']);
    expect(rows[2]).toContain('a\\|b &lt;script&gt;');
    expect(rows[2]).not.toMatch(/@team|\]\(y/);
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(7);
  });
});

describe('the terminal report', () => {
  it('groups by subject, puts the worst first and ends with one line that counts', () => {
    const lines = formatReport(report, 'table').split('\n');
    expect(lines[0]).toBe('oci:dist/openshell');
    expect(lines[1]).toMatch(/^ {2}error {4}config User \(linux\/arm64\)/);
    expect(lines.at(-1)).toBe('2 errors, 1 warning, 1 note, 1 ignored by comment in oci:dist/openshell (3 rules)');
    expect(formatReport(empty, 'table')).toBe('no findings in Dockerfile (3 rules)');
  });

  it('colours only when told to, and never lets a finding colour the screen', () => {
    expect(formatReport(report, 'table')).not.toContain('\u001b');
    expect(formatReport(report, 'table', { color: true })).toContain('\u001b[31merror');
    expect(formatReport(report, 'table', { color: true })).not.toContain(hostile.slice(0, 30));
  });
});

describe('formats', () => {
  it('are a closed set, and an unknown one names them', () => {
    expect(reportFormats.map(parseReportFormat)).toEqual(reportFormats);
    expect(() => parseReportFormat('xml')).toThrow(expect.objectContaining({ code: 'report/format', exit: 2 }));
  });

  it('json gives counts and findings as they are', () => {
    const value = JSON.parse(formatReport(report, 'json')) as { counts: unknown; findings: unknown[] };
    expect(value.counts).toEqual({ errors: 2, warnings: 1, notes: 1, suppressed: 1 });
    expect(value.findings[2]).toEqual(image);
  });
});

describe('a table', () => {
  it('aligns columns, numbers to the right, without trailing blanks', () => {
    expect(
      table(
        [
          ['name', 'size', 'note'],
          ['a', '1', ''],
          ['longer', '1234', 'x'],
        ],
        { right: [1], indent: ' ' },
      ),
    ).toBe(' name    size  note\n a          1\n longer  1234  x');
  });
});
