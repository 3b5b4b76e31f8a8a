import { exitCodes, type ExitCode } from '../src/errors/index.ts';
import type { Finding } from '../src/core/index.ts';
import { verifyOnline, type OnlineRow } from '../src/flows/bump/index.ts';
import { checkPins, listPins } from '../src/flows/pins.ts';
import { table } from '../src/report/index.ts';
import {
  examples,
  flag,
  pathOption,
  printResult,
  stringOption,
  type Call,
  type CommandModule,
  type Subcommand,
} from './command.ts';
import { mirrorsOption, readMirrors } from './environment-options.ts';

interface Online {
  readonly rows: readonly OnlineRow[];
  readonly findings: readonly Finding[];
  /** At least one upstream gave no answer. */
  readonly unknown: boolean;
}

/** askOnline adds what the upstreams say today, where `--online` wants it. */
async function askOnline(call: Call, project: { root: string; pinsFile?: string | undefined }): Promise<Online> {
  if (!flag(call, 'online')) return { rows: [], findings: [], unknown: false };
  const trustedRoot = pathOption(call, 'trustedRoot');
  return verifyOnline(call.host, { ...project, mirrors: readMirrors(call), trustedRoot });
}

const verify: Subcommand = {
  summary: 'prove each pin complete and consumed, each variant free of unlisted inputs, upstream accounted for',
  define(parser) {
    parser
      .option('--upstream <dir>', 'a clone of upstream: what moved since images/upstream.yaml was written')
      .option('--online', 'ask every upstream, too: there, gone, or unknown; same bytes; newer')
      .option('--trusted-root <file>', 'trusted_root.json for upstream signatures; the public root, by TUF, otherwise');
    mirrorsOption(parser);
    examples(parser, [
      ['runner-image pins verify', 'exit with 1 where a pin is incomplete, unused, or missing'],
      ['runner-image pins verify --upstream ../agent-control-plane', 'exit with 1 where upstream moved on'],
      ['runner-image pins verify --online', 'exit with 3 where an upstream gave no answer'],
    ]);
  },
  async run(call): Promise<ExitCode> {
    const upstream = pathOption(call, 'upstream');
    const project = { root: call.root, pinsFile: stringOption(call, 'pins'), upstream };
    const { pins, variants, findings: offline } = await checkPins(call.host, project);
    const { rows, findings: found, unknown } = await askOnline(call, project);
    const findings = [...offline, ...found];
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    printResult(call, { pins, variants, findings, online: flag(call, 'online') ? rows : undefined }, [
      ...rows.map(({ pin, answer, newer }) => `${answer}  ${pin}${newer === undefined ? '' : `  newer: ${newer}`}`),
      ...findings.map(({ severity, rule, message }) => `${severity}  ${rule}  ${message}`),
    ]);
    call.host.progress.say(`${pins} pins, ${variants} variants: ${errors} errors, ${findings.length - errors} notes`);
    // Never green, and never "wrong" either, where an upstream gave no answer.
    if (unknown) return exitCodes.upstream;
    return errors === 0 ? exitCodes.clean : exitCodes.findings;
  },
};

export const command: CommandModule = {
  define(parser) {
    parser.option('--pins <file>', 'another pins file, relative to the project or absolute');
    examples(parser, [
      ['runner-image pins', 'every external input, with what it is held against'],
      ['runner-image pins verify', 'exit with 1 where a pin is incomplete, unused, or missing'],
    ]);
  },
  async run(call) {
    const rows = await listPins(call.host, { root: call.root, pinsFile: stringOption(call, 'pins') });
    const cells = rows.map(({ name, kind, version, locked, usedBy }) => {
      const used = usedBy.length === 0 ? 'unused' : `${usedBy.length} variants`;
      return [name, kind, version, locked.slice(0, 30), used];
    });
    printResult(call, rows, table(cells));
    return exitCodes.clean;
  },
  subcommands: { verify },
};
