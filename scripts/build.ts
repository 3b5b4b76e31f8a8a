import { exitCodes } from '../src/errors/index.ts';
import { buildLayout, chooseEngine, layoutDirectory, type BuildResult } from '../src/flows/build/index.ts';
import { formatBytes } from '../src/core/index.ts';
import { collect, examples, flag, stringOption, valuesOption, type CommandModule } from './command.ts';
import { narrowed } from './narrowed.ts';
import { planFor, planOption, runnerSourceOption } from './plan-option.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { registryOf } from './registry.ts';

function tell(result: BuildResult): string {
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
    surroundingsOptions(command);
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
    const around = await surroundings(call);
    const plan = narrowed(call, await planFor(call, variant, around));
    const text = (name: string) => stringOption(call, name);
    const engine = text('engine') ?? (flag(call, 'dryRun') ? 'dry-run' : undefined);
    const builder = text('builder');
    const expires = text('expiresAfter');
    const result = await buildLayout(host, {
      root,
      plan,
      layout: layoutDirectory(root, variant),
      registry: registryOf(call, around.mirrors),
      engine: () =>
        chooseEngine(host, plan, {
          endpoints: around.endpoints,
          name: engine,
          builder,
        }),
      reuse: { published: text('published'), never: flag(call, 'force') },
      machine: {
        args: around.machineArgs,
        extraCa: around.extraCa,
        extraHosts: around.extraHosts,
        networkMode: around.networkMode,
      },
      cache: {
        from: valuesOption(call, 'cacheFrom'),
        to: valuesOption(call, 'cacheTo'),
        none: call.options['cache'] === false,
      },
      labels: expires === undefined ? undefined : { 'quay.expires-after': expires },
    });
    if (call.json) call.console.json(result);
    else call.console.print(tell(result));
    return exitCodes.clean;
  },
};
