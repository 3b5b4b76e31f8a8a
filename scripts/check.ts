import { formatBytes, parseImagePlatform } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { checkImage, parseProfile, recordRuns, type CheckResult } from '../src/flows/check/index.ts';
import { examples, flag, listOption, pathOption, stringOption, type CommandModule } from './command.ts';
import { environmentOptions, readEnvironment } from './environment-options.ts';
import { reportFormat, reportOptions, showReport } from './report-options.ts';
import { toolVersion } from './version.ts';

function sizes({ evaluation }: CheckResult): string[] {
  return Object.entries(evaluation.summary.sizes).map(
    ([platform, facts]) =>
      `${platform}: ${formatBytes(facts.compressed)} compressed, ${formatBytes(facts.wasted)} wasted by overwriting`,
  );
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
      .option('--profile <name>', 'standard, openshell or custom; by the image’s labels otherwise')
      .option('--derived-from <name>', 'for custom: standard or openshell')
      .option('--base <reference>', 'the base by digest, instead of what the labels say')
      .option('--waivers <file>', 'waivers of a derived image')
      .option('--platform <list>', 'only these platforms: os/architecture[/variant], such as linux/arm/v7')
      .option('--strict-version', 'another contract version is an error, not advice')
      .option('--run', 'also start every platform and speak AG-UI to it')
      .option('--health', 'also start every platform and wait for /health')
      .option('--evidence <file>', 'with --run: record there what was seen, for `publish --recorded-runs`');
    reportOptions(command);
    environmentOptions(command);
    examples(command, [
      ['runner-image check oci:dist/openshell', 'what `build` made, every platform'],
      ['runner-image check quay.io/you/runner@sha256:… --profile custom --run', 'a derived image, also running'],
      ['runner-image check docker-daemon:you/runner:dev --waivers waivers.yaml', 'before it is pushed'],
      ['runner-image check oci:dist/standard --format sarif --output check.sarif', 'for code scanning'],
      ['runner-image check oci:dist/standard --run --evidence dist/standard/evidence.json', 'on each native machine'],
    ]);
  },
  async run(call) {
    const { host } = call;
    const format = reportFormat(call);
    const profile = stringOption(call, 'profile');
    const derivedFrom = stringOption(call, 'derivedFrom');
    const platforms = listOption(call, 'platform').map((platform) => parseImagePlatform(platform));
    const depth = flag(call, 'run') ? 'suite' : flag(call, 'health') ? 'health' : undefined;
    const evidence = pathOption(call, 'evidence');
    if (evidence !== undefined && depth !== 'suite')
      throw new AppError('cli/usage', 'usage', '--evidence records what was seen of a started image', {
        expected: '--evidence with --run',
      });
    const environment = await readEnvironment(call);
    const result = await checkImage(host, {
      root: call.home,
      image: call.args[0] ?? '',
      registry: environment.registry,
      version: toolVersion(),
      strictVersion: flag(call, 'strictVersion'),
      profile: profile === undefined ? undefined : parseProfile(profile),
      derivedFrom: derivedFrom === undefined ? undefined : (parseProfile(derivedFrom) as 'standard'),
      base: stringOption(call, 'base'),
      waivers: listOption(call, 'waivers'),
      inheritedWaivers: environment.waivers,
      platforms: platforms.length === 0 ? undefined : platforms,
      run: depth,
      dockerHost: environment.dockerHost,
    });
    if (evidence !== undefined) await recordRuns(host, evidence, result);
    const exit = await showReport(call, result.report, format);
    for (const line of [...undecided(result), ...sizes(result)]) host.progress.say(line);
    return exit;
  },
};
