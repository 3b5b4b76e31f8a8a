import { exitCodes, type ExitCode } from '../src/errors/index.ts';
import { doctor, renderDoctor } from '../src/flows/doctor.ts';
import { checkTagRuleset } from '../src/flows/tag-ruleset.ts';
import { examples, flag, platformsOption, printResult, type Call, type CommandModule } from './command.ts';
import { packageRoot } from './project.ts';

/** Findings where the setting lacks something; never clean where GitHub did not answer. */
async function github(call: Call): Promise<ExitCode> {
  const report = await checkTagRuleset(call.host);
  const { subject, state, found, mend } = report;
  const lines = [`${state.padEnd(7)}  ${subject}  ${found}`, ...(mend ? [`         do: ${mend}`] : [])];
  printResult(call, report, lines);
  return { ok: exitCodes.clean, lacking: exitCodes.findings, unknown: exitCodes.upstream }[state];
}

export const command: CommandModule = {
  define(parser) {
    parser.option('--platform <list>', 'platforms that must be buildable here (default: all)');
    parser.option('--github', 'look at the settings of the repository on GitHub instead: who may push release tags');
    examples(parser, [
      ['runner-image doctor', 'what this machine lacks, and the command that mends it'],
      ['runner-image doctor --platform linux/amd64', 'for one architecture only'],
      [
        'runner-image doctor --github',
        'does the repository on GitHub restrict release tags (GITHUB_REPOSITORY, GITHUB_TOKEN)',
      ],
      ['runner-image doctor --json', 'the same for a script; exit code 4 when something is lacking'],
    ]);
  },
  async run(call) {
    if (flag(call, 'github')) return await github(call);
    // Outside of a project, the disk that counts is where the user is.
    const where = call.home === packageRoot ? process.cwd() : call.home;
    const result = await doctor(call.host, where, platformsOption(call));
    printResult(call, result, renderDoctor(result));
    return result.healthy ? exitCodes.clean : exitCodes.machine;
  },
};
