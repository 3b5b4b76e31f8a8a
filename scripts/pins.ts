import { AppError, exitCodes, type ExitCode } from '../src/errors/index.ts';
import type { Finding } from '../src/core/index.ts';
import { verifyOnline, type OnlineRow } from '../src/flows/bump/index.ts';
import { checkPins, listPins } from '../src/flows/pins.ts';
import { examples, flag, stringOption, type Call, type CommandModule } from './command.ts';
import { surroundings } from './surroundings.ts';
import { trustFor } from './trust-for.ts';

function options(call: Call): { root: string; pinsFile?: string | undefined; upstream?: string | undefined } {
  return { root: call.root, pinsFile: stringOption(call, 'pins'), upstream: stringOption(call, 'upstream') };
}

async function list(call: Call): Promise<ExitCode> {
  const rows = await listPins(call.host, options(call));
  if (call.json) call.console.json(rows);
  else {
    const cells = rows.map((row) => [
      row.name,
      row.kind,
      row.version,
      row.locked.slice(0, 30),
      row.usedBy.length === 0 ? 'nobody' : `${row.usedBy.length} variants`,
    ]);
    const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((cell) => cell[column]?.length ?? 0)));
    for (const cell of cells)
      call.console.print(cell.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
  }
  return exitCodes.clean;
}

/** online adds what the upstreams say today; `unknown` means that at least one could not be told. */
async function online(
  call: Call,
): Promise<{ rows: readonly OnlineRow[]; findings: readonly Finding[]; unknown: boolean }> {
  if (!flag(call, 'online')) return { rows: [], findings: [], unknown: false };
  return verifyOnline(call.host, { ...options(call), mirrors: (await surroundings(call)).mirrors, ...trustFor(call) });
}

async function verify(call: Call): Promise<ExitCode> {
  const { pins, variants, findings: offline } = await checkPins(call.host, options(call));
  const { rows, findings: found, unknown } = await online(call);
  const findings = [...offline, ...found];
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (call.json) call.console.json({ pins, variants, findings, ...(flag(call, 'online') ? { online: rows } : {}) });
  else {
    for (const { pin, answer, newer } of rows)
      call.console.print(`${answer}  ${pin}${newer === undefined ? '' : `  newer: ${newer}`}`);
    for (const { severity, rule, message } of findings) call.console.print(`${severity}  ${rule}  ${message}`);
  }
  call.host.story.say(
    `${pins} pins, ${variants} variants: ${errors.length} errors, ${findings.length - errors.length} notes`,
  );
  // Never green, and never "wrong" either, where an upstream could not be asked.
  if (unknown) return exitCodes.upstream;
  return errors.length === 0 ? exitCodes.clean : exitCodes.findings;
}

export const command: CommandModule = {
  define(parser) {
    parser.argument(
      '[action]',
      'verify: prove each pin complete and consumed, each variant free of unlisted inputs, upstream accounted for',
    );
    parser.option('--pins <file>', 'another pins file, relative to the project or absolute');
    parser.option('--upstream <dir>', 'verify: a clone of upstream; what moved since images/upstream.yaml was written');
    parser.option('--online', 'verify: ask every upstream, too: there, gone, or could not tell; same bytes; newer');
    parser.option('--trusted-root <file>', 'whom to believe about upstream signatures, for --online');
    parser.option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix, for --online');
    examples(parser, [
      ['runner-image pins', 'every external input, with what it is held against'],
      ['runner-image pins verify', 'exit with 1 where a pin is incomplete, unused, or missing'],
      ['runner-image pins verify --upstream ../agent-control-plane', 'exit with 1 where upstream moved on'],
      ['runner-image pins verify --online', 'exit with 3 where an upstream could not be asked'],
    ]);
  },
  async run(call) {
    const [action] = call.args;
    if (action === undefined) return list(call);
    if (action === 'verify') return verify(call);
    throw new AppError('cli/usage', 'usage', `unknown action ${JSON.stringify(action)}`, {
      expected: 'verify, or nothing',
    });
  },
};
