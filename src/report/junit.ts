import type { Finding } from '../core/finding.ts';
import { xmlText } from '../errors/index.ts';
import { placeOf, spotOf, type Report } from './report.ts';

function failureOf(finding: Finding): string {
  const text = `${spotOf(finding)}: ${finding.message}\n${finding.remediation}`;
  return `      <failure message="${xmlText(`${spotOf(finding)}: ${finding.message}`)}" type="${xmlText(finding.severity)}">${xmlText(text)}</failure>`;
}

/**
 * formatJunit returns one suite per subject and one case per rule. Only errors fail a case; warnings and
 * notes are kept as its output, so that the suite agrees with the exit code.
 */
export function formatJunit(report: Report): string {
  const places = [...new Set([...report.subjects, ...report.findings.map((finding) => placeOf(report, finding))])];
  const suites = places.map((place) => {
    const own = report.findings.filter((finding) => placeOf(report, finding) === place);
    const extra = own.filter((finding) => !report.rules.some(({ id }) => id === finding.rule)).map(({ rule }) => rule);
    const ids = [...report.rules.map(({ id }) => id), ...new Set(extra)];
    let failed = 0;
    const cases = ids.map((id) => {
      const found = own.filter(({ rule }) => rule === id);
      const errors = found.filter(({ severity }) => severity === 'error');
      const others = found.filter(({ severity }) => severity !== 'error');
      if (errors.length > 0) failed += 1;
      const head = `    <testcase name="${xmlText(id)}" classname="${xmlText(place)}"`;
      if (found.length === 0) return `${head}/>`;
      const out = others.map((finding) => `${finding.severity} ${spotOf(finding)}: ${finding.message}`).join('\n');
      return [
        `${head}>`,
        ...errors.map(failureOf),
        ...(out === '' ? [] : [`      <system-out>${xmlText(out)}</system-out>`]),
        '    </testcase>',
      ].join('\n');
    });
    const head = `  <testsuite name="${xmlText(place)}" tests="${ids.length}" failures="${failed}" errors="0" skipped="0">`;
    return { text: [head, ...cases, '  </testsuite>'].join('\n'), tests: ids.length, failed };
  });
  const sum = (pick: (suite: (typeof suites)[number]) => number): number =>
    suites.reduce((total, suite) => total + pick(suite), 0);
  const head = `<testsuites name="${xmlText(`runner-image ${report.command}`)}" tests="${sum(({ tests }) => tests)}" failures="${sum(({ failed }) => failed)}" errors="0">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites.map(({ text }) => text), '</testsuites>'].join(
    '\n',
  );
}
