import type { PinEvidence, Facts, Pin } from '../../core/index.ts';
import { markdownText, shorten, visible } from '../../errors/index.ts';
import { toOf, type BumpResult, type BumpRow } from './rows.ts';

/** Text from outside must not become markup, a mention or a second table cell. */
function plain(text: string): string {
  return markdownText(shorten(text, 400));
}

const code = (text: string): string => `\`${visible(text, 400).replace(/[`|]/g, '')}\``;

function link(url: string | undefined, text: string): string {
  return url !== undefined && /^https:\/\/[\w./%~+:@-]+$/.test(url) ? `[${plain(text)}](${url})` : plain(text);
}

function factLines(pin: Pin, facts: Facts): readonly string[] {
  switch (facts.kind) {
    case 'image':
      return [
        `- index ${code(facts.digest)}`,
        ...Object.entries(facts.platforms).map(([platform, digest]) => `- ${platform} ${code(digest)}`),
      ];
    case 'release':
      return facts.assets.map(
        ({ platform, name, digest, size }) =>
          `- ${platform} ${code(name)}${size === 0 ? '' : `, ${size} bytes`}: ${code(digest)}`,
      );
    case 'npm':
      return [`- ${code(`${pin.kind === 'npm' ? pin.package : pin.name}@${facts.version}`)} ${code(facts.integrity)}`];
    case 'git': {
      const base = pin.kind === 'git' ? pin.repository.replace(/\.git$/, '') : '';
      const compare = pin.kind === 'git' ? `${base}/compare/${pin.commit}...${facts.commit}` : undefined;
      return [
        `- commit ${code(facts.commit)} (${link(compare, 'compare')})`,
        `- tree ${code(facts.tree)}`,
        `- files ${code(facts.digest)}`,
      ];
    }
    case 'action':
      return [`- commit ${code(facts.commit)}`];
    case 'python':
      return [];
  }
}

const evidenceLine = ({ kind, source, seen }: PinEvidence): string =>
  `- evidence: ${kind}, ${plain(source)}${seen === undefined ? '' : `, seen ${seen}`}`;

function section(row: BumpRow): readonly string[] {
  const { pin, verdict } = row;
  if (verdict.$case !== 'due') return [];
  const from = 'version' in pin ? pin.version : '';
  return [
    '',
    `### ${plain(pin.name)}: ${plain(from)} → ${link(verdict.to.link ?? verdict.resolved.link, toOf(row))}`,
    '',
    ...(verdict.to.published === undefined
      ? []
      : [`- published ${plain(verdict.to.published)}${verdict.age === undefined ? '' : `, ${verdict.age} days ago`}`]),
    ...(verdict.gone === undefined ? [] : [`- **gone upstream**: ${plain(verdict.gone)}`]),
    ...factLines(pin, verdict.resolved.facts),
    ...verdict.resolved.evidence.map(evidenceLine),
  ];
}

function others(rows: readonly BumpRow[]): readonly string[] {
  const lines = rows.flatMap(({ pin, verdict }) => {
    const held = 'held' in verdict ? verdict.held : [];
    const name = `**${plain(pin.name)}**`;
    return [
      ...held.map(({ version, reason, detail }) => `- ${name}: ${plain(version)} held, ${reason}: ${plain(detail)}`),
      ...(verdict.$case === 'unknown' ? [`- ${name}: could not tell: ${plain(verdict.error.message)}`] : []),
      ...(verdict.$case === 'gone' ? [`- ${name}: gone: ${plain(verdict.what)}`] : []),
      ...(verdict.$case === 'alarm'
        ? [`- ${name}: **ALARM, other bytes**: expected ${code(verdict.expected)}, found ${code(verdict.found)}`]
        : []),
    ];
  });
  return lines.length === 0 ? [] : ['', '### Not taken', '', ...lines];
}

/** changelog is the reviewer's page, ready as a pull request's body. Nothing in it is read as markup from outside. */
export function changelog({ rows, files }: BumpResult): string {
  const due = rows.filter(({ verdict }) => verdict.$case === 'due');
  const table = due.map((row) => {
    const from = 'version' in row.pin ? row.pin.version : '';
    const age = row.verdict.$case === 'due' && row.verdict.age !== undefined ? `${row.verdict.age} days` : 'unknown';
    return `| ${plain(row.pin.name)} | ${row.pin.kind} | ${plain(from)} | ${plain(toOf(row))} | ${age} |`;
  });
  return [
    due.length === 0 ? 'No pin is due.' : `Bumps ${due.length} ${due.length === 1 ? 'pin' : 'pins'}.`,
    ...(due.length === 0 ? [] : ['', '| pin | kind | old | new | age |', '|---|---|---|---|---|', ...table]),
    ...due.flatMap(section),
    ...others(rows),
    ...(files.length === 0 ? [] : ['', `### Files`, '', ...files.map((file) => `- ${code(file)}`)]),
    '',
  ].join('\n');
}
