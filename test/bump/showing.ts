import { writeFileSync } from 'node:fs';
import type { Outcome } from './command.ts';

interface Shown {
  readonly title: string;
  readonly line: string;
  readonly outcome: Outcome;
  /** A file that the command wrote, by name. */
  readonly wrote?: { readonly name: string; readonly text: string };
}

const shown: Shown[] = [];
const page = process.env['SHOW_BUMP'];

export function show(entry: Shown): void {
  if (page !== undefined) shown.push(entry);
}

function section({ title, line, outcome, wrote }: Shown): string {
  const said = [outcome.stderr, outcome.stdout].map((text) => text.trim()).filter((text) => text !== '');
  return [
    `## ${title[0]?.toUpperCase() ?? ''}${title.slice(1)}`,
    '',
    '```',
    `$ runner-image ${line}`,
    ...said,
    `(exit ${outcome.code})`,
    '```',
    ...(wrote === undefined ? [] : ['', `${wrote.name}:`, '', '```markdown', wrote.text.trim(), '```']),
    '',
  ].join('\n');
}

/** writeShown makes the page that shows the scenarios: what the command printed, and nothing else. */
export function writeShown(): void {
  if (page === undefined) return;
  const head = [
    '# What a bump says',
    '',
    'The real command before an upstream that moves: a registry, a GitHub and git repositories on loopback, under the names',
    'of the real ones. This page is the output of its scenarios, written by',
    '`SHOW_BUMP=docs/bump.md npx vitest run --project integration test/bump/scenarios.itg.test.ts`. No scenario changes a file',
    'of the project, but for the last one.',
    '',
  ];
  writeFileSync(page, `${head.join('\n')}\n${shown.map(section).join('\n')}`);
}
