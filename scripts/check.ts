import { resolve } from 'node:path';
import { formatBytes, parseImagePlatform } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import { checkImage, parseProfile, recordRuns, type CheckResult } from '../src/flows/check/index.ts';
import { summarise } from '../src/flows/ci/runner-files.ts';
import { countsOf, formatAnnotations, formatReport, parseReportFormat, textKind } from '../src/report/index.ts';
import { examples, flag, fromHere, listOption, stringOption, type CommandModule } from './command.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { toolVersion } from './version.ts';
import { registryOf } from './registry.ts';

function sizes({ evaluation }: CheckResult): string {
  return Object.entries(evaluation.summary.sizes)
    .map(
      ([platform, facts]) =>
        `${platform}: ${formatBytes(facts.compressed)} compressed, ${formatBytes(facts.wasted)} wasted by overwriting`,
    )
    .join('\n');
}

function undecided({ evaluation }: CheckResult): string[] {
  return evaluation.summary.undecided.map(
    ({ rule, because, platform }) => `undecided ${rule}${platform === undefined ? '' : ` (${platform})`}: ${because}`,
  );
}

export const command: CommandModule = {
  define(command) {
    command
      .argument(
        '<image>',
        'oci:DIR, oci-archive:FILE, docker-archive:FILE, dir:DIR, docker-daemon:REF or a registry reference',
      )
      .option('--profile <name>', 'standard, openshell or custom; told from the image’s labels otherwise')
      .option('--derived-from <name>', 'for custom: standard or openshell')
      .option('--base <reference>', 'the base by digest, instead of what the labels say')
      .option('--waivers <file>', 'waivers of a derived image')
      .option('--platform <list>', 'only these platforms: os/architecture[/variant], such as linux/arm/v7')
      .option('--strict-version', 'another contract version is an error, not advice')
      .option('--run', 'also start every platform and speak AG-UI to it')
      .option('--health', 'also start every platform and wait for /health')
      .option('--evidence <file>', 'with --run: record there what was seen, for `publish --recorded-runs`')
      .option('--format <name>', 'table, json, sarif, junit, markdown or github', 'table')
      .option('--output <file>', 'write the report there, and the table to stdout');
    surroundingsOptions(command);
    examples(command, [
      ['runner-image check oci:dist/openshell', 'what `build` made, every platform'],
      ['runner-image check quay.io/you/runner@sha256:… --profile custom --run', 'a derived image, also running'],
      ['runner-image check docker-daemon:you/runner:dev --waivers waivers.yaml', 'before it is pushed'],
      ['runner-image check oci:dist/standard --format sarif --output check.sarif', 'for code scanning'],
      ['runner-image check oci:dist/standard --run --evidence dist/standard/evidence.json', 'on each native machine'],
    ]);
  },
  async run(call) {
    const around = await surroundings(call);
    const text = (name: string) => stringOption(call, name);
    const format = parseReportFormat(call.json ? 'json' : (text('format') ?? 'table'));
    const [profile, derivedFrom, base] = [text('profile'), text('derivedFrom'), text('base')];
    const waivers = listOption(call, 'waivers');
    const platforms = listOption(call, 'platform').map((platform) => parseImagePlatform(platform));
    const depth = flag(call, 'run') ? 'suite' : flag(call, 'health') ? 'health' : undefined;
    const evidence = text('evidence');
    if (evidence !== undefined && depth !== 'suite')
      throw new AppError('cli/usage', 'usage', '--evidence records what was seen of a started image', {
        expected: '--evidence with --run',
      });
    const result = await checkImage(call.host, {
      root: call.home,
      image: call.args[0] ?? '',
      registry: registryOf(call, around.mirrors),
      version: toolVersion(),
      strictVersion: flag(call, 'strictVersion'),
      profile: profile === undefined ? undefined : parseProfile(profile),
      derivedFrom: derivedFrom === undefined ? undefined : (parseProfile(derivedFrom) as 'standard'),
      base,
      waivers,
      inheritedWaivers: around.waivers,
      platforms: platforms.length === 0 ? undefined : platforms,
      run: depth,
      dockerHost: around.dockerHost,
    });
    if (evidence !== undefined) await recordRuns(call.host, fromHere(evidence), result);
    const color = process.stdout.isTTY && call.host.env['NO_COLOR'] === undefined;
    const output = text('output');
    if (output !== undefined) await call.host.files.write(resolve(output), `${formatReport(result.report, format)}\n`);
    const shown = output === undefined ? format : 'table';
    call.console.document(formatReport(result.report, shown, { color }), textKind(shown, color));
    for (const line of undecided(result)) call.host.story.say(line);
    if (shown === 'table') call.host.story.say(sizes(result));
    await summarise(call.host, formatReport(result.report, 'markdown'));
    if (call.host.env['GITHUB_ACTIONS'] === 'true') call.host.story.show(formatAnnotations(result.report), 'commands');
    return countsOf(result.report.findings).errors > 0 ? exitCodes.findings : exitCodes.clean;
  },
};
