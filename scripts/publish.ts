import { exitCodes } from '../src/errors/index.ts';
import { inputTag, layoutDirectory } from '../src/flows/build/index.ts';
import { buildPlan } from '../src/flows/plan.ts';
import { gate, publishLayout, type Published } from '../src/flows/publish/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { examples, flag, listOption, stringOption, type CommandModule } from './command.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { projectVersion } from './version.ts';

function tell({ reference, push, tags }: Published): string {
  const moves = tags.map(
    ({ tag, before, after, moved }) => `  ${tag}  ${moved ? `${before ?? 'new'} → ${after}` : `already ${after}`}`,
  );
  return [`published ${reference} (${(push.bytes / 1e6).toFixed(0)} MB uploaded)`, ...moves].join('\n');
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('[variant]', 'variant to publish, from dist/<variant>', 'openshell')
      .option('--to <repository>', 'host/repository; the variant’s own otherwise')
      .option('--tag <list>', 'tags to move last')
      .option('--skip-gate', 'the gate was passed elsewhere, by this same digest')
      .option('--dry-run', 'hold it against the gate, push nothing');
    surroundingsOptions(command);
    examples(command, [
      ['runner-image publish --tag latest', 'gate, push dist/openshell by digest, then move the tag'],
      ['runner-image publish standard --to 127.0.0.1:5000/demo/standard --lab', 'into the lab’s registry'],
    ]);
  },
  async run(call) {
    const { host, root } = call;
    const variant = call.args[0] ?? 'openshell';
    const around = await surroundings(call);
    const plan = await buildPlan(host, { root, variant, ...around });
    const layout = layoutDirectory(root, variant);
    const registry = createRegistry(host, { mirrors: around.mirrors });
    const lab =
      around.labRegistry === undefined
        ? undefined
        : `${around.labRegistry}/${plan.repository.split('/').slice(1).join('/')}`;
    const repository = stringOption(call, 'to') ?? lab ?? plan.repository;
    const hold = async () => {
      await gate(host, {
        root,
        image: `oci:${layout}`,
        registry,
        version: projectVersion(root),
        inheritedWaivers: around.waivers,
        ...(around.dockerHost === undefined ? {} : { dockerHost: around.dockerHost }),
      });
    };
    if (flag(call, 'dryRun')) {
      await hold();
      call.console.print(`would push ${layout} to ${repository}`);
      return exitCodes.clean;
    }
    const published = await publishLayout(host, {
      layout,
      repository,
      registry,
      tags: listOption(call, 'tag'),
      inputTag: inputTag(plan),
      ...(flag(call, 'skipGate') ? {} : { gate: hold }),
    });
    if (call.json) call.console.json(published);
    else call.console.print(tell(published));
    return exitCodes.clean;
  },
};
