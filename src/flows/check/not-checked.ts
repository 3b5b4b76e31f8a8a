import type { Finding, RuleInfo } from '../../core/index.ts';
import type { OtherManifest } from '../../oci/index.ts';

/** notCheckedRule: what else the reference leads to than images of the wanted platforms is listed, never left out. */
export const notCheckedRule: RuleInfo = {
  id: 'check/not-checked',
  severity: 'note',
  summary: 'What else an index holds than the images that were checked.',
  remediation: 'Name its platform with --platform to check it, where it is an image.',
};

/** notChecked returns the note about one such manifest. */
export function notChecked({ descriptor: { digest }, what }: OtherManifest): Finding {
  const { id, severity, remediation } = notCheckedRule;
  const message = `not checked: ${what}, ${digest}`;
  return { rule: id, severity, message, subject: digest, remediation, location: { $case: 'image' } };
}
