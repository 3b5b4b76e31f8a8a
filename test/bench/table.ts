import { formatMachine, type Machine } from './machine.ts';
import { notNeeded, type Peers } from './peers.ts';
import type { Row, TrialResult } from './types.ts';

export interface BenchReport {
  readonly version: 1;
  readonly date: string;
  readonly variant: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly peers: Peers;
  readonly trials: readonly TrialResult[];
}

const header = ['', 'median', 'fastest–slowest', 'runs', 'ratio', 'memory'] as const;

const seconds = (value: number): string => (value < 10 ? value.toFixed(3) : value.toFixed(1));

function cells(row: Row, reference: Row | undefined): string[] {
  if (row.median === undefined) return [row.name, 'missing', '', '', '', ''];
  const ratio = reference?.median === undefined ? '' : `${(row.median / reference.median).toFixed(2)}×`;
  return [
    row.name,
    `${seconds(row.median)} s`,
    `${seconds(Math.min(...row.seconds))}–${seconds(Math.max(...row.seconds))}`,
    String(row.seconds.length),
    ratio,
    row.peakBytes === undefined ? '–' : `${(row.peakBytes / 1e6).toFixed(0)} MB`,
  ];
}

function remarks(trial: TrialResult): string[] {
  const rows = trial.rows.flatMap(({ name, missing, note }) => [
    ...(missing === undefined ? [] : [`${name}: missing, ${missing}`]),
    ...(note === undefined ? [] : [`${name}: ${note}`]),
  ]);
  const verdicts = trial.verdicts.map(({ aim, met, found }) => `aim ${met ? 'met' : 'NOT met'}: ${aim}; ${found}`);
  return [...(trial.note === undefined ? [] : [trial.note]), ...rows, ...verdicts];
}

const body = (trial: TrialResult): string[][] => {
  const reference = trial.rows.find(({ name }) => name === trial.reference);
  return trial.rows.map((row) => cells(row, reference));
};

/** formatTrial is one table for a terminal. */
export function formatTrial(trial: TrialResult): string {
  const lines = [[...header], ...body(trial)];
  const widths = header.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [`${trial.case}: ${trial.title}`, ...text, ...remarks(trial).map((line) => `  ${line}`)].join('\n');
}

const escape = (text: string): string => text.replaceAll('|', '\\|');

function markdownTrial(trial: TrialResult): string {
  const line = (columns: readonly string[]): string => `| ${columns.map(escape).join(' | ')} |`;
  const rule = `| --- |${' ---: |'.repeat(header.length - 1)}`;
  const table = [line(header), rule, ...body(trial).map(line)];
  return [`### ${trial.title}`, '', ...table, '', ...remarks(trial).map((text) => `- ${escape(text)}`)].join('\n');
}

/** formatPeers names every peer with its version, or why it is missing. */
export function formatPeers(peers: Peers): string[] {
  return Object.entries(peers).flatMap(([name, { version = '(version unknown)', missing }]) =>
    missing === notNeeded ? [] : [`${name} ${missing === undefined ? version : `missing: ${missing}`}`],
  );
}

export function formatText(report: BenchReport): string {
  const peers = formatPeers(report.peers).join(', ');
  return [formatMachine(report.machine), peers, ...report.trials.map(formatTrial)].join('\n\n');
}

/** formatMarkdown is docs/benchmarks.md. */
export function formatMarkdown(report: BenchReport, explanation: string): string {
  const names = [...new Set(report.trials.map((trial) => trial.case))];
  const parts = names.map((name) =>
    [
      `## ${name}`,
      ...report.trials.filter((trial) => trial.case === name).flatMap((trial) => ['', markdownTrial(trial)]),
    ].join('\n'),
  );
  const facts = [
    `- Measured ${report.date}, variant \`${report.variant}\` of the lab`,
    `- Machine: ${formatMachine(report.machine)}`,
    `- Peers: ${formatPeers(report.peers).join(', ')}`,
  ];
  return [explanation.trimEnd(), facts.join('\n'), ...parts, ''].join('\n\n').replace(/\n+$/, '\n');
}
