import { AppError, exitCodes, type ExitCode } from '../src/errors/index.ts';
import { checkPins, listPins } from '../src/flows/pins.ts';
import { examples, stringOption, type Call, type CommandModule } from './command.ts';

function options(call: Call): { root: string; pinsFile?: string } {
  const pinsFile = stringOption(call, 'pins');
  return { root: call.root, ...(pinsFile === undefined ? {} : { pinsFile }) };
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

async function verify(call: Call): Promise<ExitCode> {
  const { pins, variants, findings } = await checkPins(call.host, options(call));
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (call.json) call.console.json({ pins, variants, findings });
  else for (const { severity, rule, message } of findings) call.console.print(`${severity}  ${rule}  ${message}`);
  call.host.story.say(
    `${pins} pins, ${variants} variants: ${errors.length} errors, ${findings.length - errors.length} facts absent`,
  );
  return errors.length === 0 ? exitCodes.clean : exitCodes.findings;
}

export const command: CommandModule = {
  define(parser) {
    parser.argument('[action]', 'verify: prove each pin complete and consumed, each variant free of unlisted inputs');
    parser.option('--pins <file>', 'another pins file, relative to the project or absolute');
    examples(parser, [
      ['runner-image pins', 'every external input, with what it is held against'],
      ['runner-image pins verify', 'exit with 1 where a pin is incomplete, unused, or missing'],
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
