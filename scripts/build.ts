import { exitCodes } from '../src/errors/index.ts';
import { buildLayout, chooseEngine, layoutDirectory, type BuildResult } from '../src/flows/build/index.ts';
import { formatBytes } from '../src/core/index.ts';
import { collect, examples, flag, printResult, stringOption, valuesOption, type CommandModule } from './command.ts';
import { narrowedPlanFor, planOption, runnerSourceOption } from './plan-option.ts';
import { environmentOptions, readEnvironment } from './environment-options.ts';

function resultText(result: BuildResult): string {
  if (result.$case === 'unchanged')
    return result.from === 'layout'
      ? `unchanged ${result.index.digest} in ${result.layout}`
      : `unchanged ${result.reference}, published already`;
  if (result.$case === 'dry-run') return `nothing was built for ${result.platforms.join(', ')}: a dry run`;
  const lines = result.platforms.map(
    ({ platform, digest, layers, size, base }) =>
      `  ${platform}  ${digest}  ${layers} layers, ${formatBytes(size)}; the first ${base?.layers.length ?? 0} are the pinned base's`,
  );
  const engine = `${result.engine.product} ${result.engine.version}`;
  return [`built ${result.index.digest} in ${result.layout} with ${engine}`, ...lines].join('\n');
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('[variant]', 'variant to build', 'openshell')
      .option('--platform <list>', 'only these platforms, e.g. linux/arm64')
      .option('--engine <name>', 'docker, buildx, buildah or dry-run; detected otherwise')
      .option('--builder <name>', 'buildx builder')
      .option('--force', 'build even when nothing changed')
      .option('--no-cache', 'do not use the engine’s layer cache')
      .option('--cache-from <what>', 'cache to import, in the engine’s syntax; {arch} is the platform’s', collect)
      .option('--cache-to <what>', 'cache to export, likewise; one for each platform: {arch} must be in it', collect)
      .option('--published <repository>', 'also look for the same inputs among what was published there')
      .option('--expires-after <time>', 'label quay.expires-after, e.g. 48h, for images of pull requests')
      .option(...planOption)
      .option(...runnerSourceOption)
      .option('--dry-run', 'say what would be built, start nothing');
    environmentOptions(command);
    examples(command, [
      ['runner-image build', 'the openshell variant for every platform, into dist/openshell'],
      ['runner-image build standard --platform linux/arm64', 'one platform'],
      ['runner-image build --endpoint linux/arm64=ssh://builder-arm', 'arm64 natively on its own machine'],
      [
        'runner-image build standard --runner-source ../agent-control-plane/components/runners/ambient-runner',
        'your own runner',
      ],
      ['runner-image build --lab', 'against the embedded upstreams'],
    ]);
  },
  async run(call) {
    const { host, root } = call;
    const variant = call.args[0] ?? 'openshell';
    const environment = await readEnvironment(call);
    const plan = await narrowedPlanFor(call, variant, environment);
    const text = (name: string) => stringOption(call, name);
    const engine = text('engine') ?? (flag(call, 'dryRun') ? 'dry-run' : undefined);
    const expires = text('expiresAfter');
    const result = await buildLayout(host, {
      root,
      plan,
      layout: layoutDirectory(root, variant),
      registry: environment.registry,
      engine: () =>
        chooseEngine(host, plan, { endpoints: environment.endpoints, name: engine, builder: text('builder') }),
      reuse: { published: text('published'), never: flag(call, 'force') },
      machine: {
        args: environment.machineArgs,
        extraCa: environment.extraCa,
        extraHosts: environment.extraHosts,
        networkMode: environment.networkMode,
      },
      cache: {
        from: valuesOption(call, 'cacheFrom'),
        to: valuesOption(call, 'cacheTo'),
        none: call.options['cache'] === false,
      },
      labels: expires === undefined ? undefined : { 'quay.expires-after': expires },
    });
    printResult(call, result, resultText(result));
    return exitCodes.clean;
  },
};
