import { oneLine } from '../../errors/index.ts';
import type { Finding, Pin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Verdict } from '../../pins/bump/index.ts';
import { defaultPinsFile, loadPinsAlone } from '../plan-definitions.ts';
import { askAbout, type AskOptions } from './ask.ts';
import { FirstSeen } from './first-seen.ts';
import { readTargets } from './targets.ts';

/** The three answers to "is it still there": could not tell is never taken for there. */
export type OnlineAnswer = 'there' | 'gone' | 'could-not-tell' | 'other-bytes' | 'not-asked';

export interface OnlineRow {
  readonly pin: string;
  readonly answer: OnlineAnswer;
  /** A newer version that policy lets in. */
  readonly newer?: string | undefined;
}

interface Answer {
  readonly row: OnlineRow;
  readonly findings: readonly Finding[];
}

function answerOf(pin: Pin, verdict: Verdict, file: string): Answer {
  const found = (rule: string, severity: Finding['severity'], message: string, remediation: string): Finding => ({
    rule: `pins/${rule}`,
    severity,
    subject: pin.name,
    message: `${pin.name}: ${message}`,
    remediation,
    location: { $case: 'file', file, line: 1, column: 1 },
  });
  const row = (answer: OnlineAnswer, newer?: string): OnlineRow => ({ pin: pin.name, answer, newer });
  const gone = (what: string): Finding => found('gone', 'error', `${what} is gone`, `runner-image bump ${pin.name}`);
  switch (verdict.$case) {
    case 'current':
    case 'held':
      return { row: row('there'), findings: [] };
    case 'due': {
      const newer = verdict.to.version;
      const note = found('newer', 'note', `${newer} is available`, `runner-image bump ${pin.name}`);
      if (verdict.gone === undefined) return { row: row('there', newer), findings: [note] };
      return { row: row('gone', newer), findings: [gone(verdict.gone), note] };
    }
    case 'gone':
      return { row: row('gone'), findings: [gone(verdict.what)] };
    case 'alarm': {
      const message = `the same version has other bytes: expected ${verdict.expected}, found ${verdict.found} at ${verdict.source}`;
      return {
        row: row('other-bytes'),
        findings: [
          found('other-bytes', 'error', message, 'ask the publisher what happened; do not take the new bytes'),
        ],
      };
    }
    case 'unknown': {
      const message = `could not tell: ${oneLine(verdict.error)}`;
      return {
        row: row('could-not-tell'),
        findings: [found('could-not-tell', 'error', message, verdict.error.facts.hint ?? 'run it again')],
      };
    }
    case 'nothing':
      return { row: row('not-asked'), findings: [] };
  }
}

export interface OnlineResult {
  readonly rows: readonly OnlineRow[];
  readonly findings: readonly Finding[];
  /** The state of at least one pin is unknown: the answer must not be green. */
  readonly unknown: boolean;
}

/** verifyOnline asks every pin's upstream: still there, same bytes, something newer. It writes nothing. */
export async function verifyOnline(
  host: Host,
  options: Pick<AskOptions, 'root' | 'mirrors' | 'trustedRoot'> & { readonly pinsFile?: string | undefined },
): Promise<OnlineResult> {
  const { root, pinsFile = defaultPinsFile } = options;
  const { pins } = await loadPinsAlone(host, root, pinsFile);
  const firstSeen = await FirstSeen.read(host, root);
  const targets = readTargets(pins, [], false);
  const rows = await askAbout(host, pins, targets, firstSeen, { ...options, now: false });
  const answers = rows.map(({ pin, verdict }) => answerOf(pin, verdict, pinsFile));
  return {
    rows: answers.map(({ row }) => row),
    findings: answers.flatMap(({ findings }) => findings),
    unknown: answers.some(({ row }) => row.answer === 'could-not-tell'),
  };
}
