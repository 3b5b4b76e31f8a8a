import { expect, test } from 'vitest';
import { digestOf, type Descriptor } from '../../src/core/index.ts';
import { notChecked, notCheckedRule } from '../../src/flows/check/not-checked.ts';
import { formatReport } from '../../src/report/index.ts';

test('what an index holds besides is a note in every format, never an error', () => {
  const descriptor: Descriptor = { mediaType: 'x', digest: digestOf('chart'), size: 5 };
  const finding = notChecked({ descriptor, what: 'a Helm chart' });
  const report = {
    command: 'check',
    version: '1',
    rules: [notCheckedRule],
    findings: [finding],
    subjects: ['oci:dist/x:tag'],
  };
  expect(finding.severity).toBe('note');
  for (const format of ['table', 'json', 'markdown', 'junit'] as const) {
    const text = formatReport(report, format);
    expect(text).toContain(digestOf('chart').slice(0, 20));
    expect(text).toContain('a Helm chart');
  }
});
