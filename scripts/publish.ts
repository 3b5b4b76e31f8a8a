import { relative } from 'node:path';
import { formatBytes, parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { inputTag, layoutDirectory } from '../src/flows/build/names.ts';
import { builtBy } from '../src/flows/evidence/builds.ts';
import { gateLayout, publishVariant, type PublishedVariant } from '../src/flows/publish/variant.ts';
import { commandLine, consumerCommands, signerHere, type ConsumerTrust } from '../src/flows/trust/consumer-commands.ts';
import { createRegistry } from '../src/registry/index.ts';
import { examples, flag, listOption, stringOption, type Call, type CommandModule } from './command.ts';
import { narrowed } from './narrowed.ts';
import { planFor } from './plan-option.ts';
import { surroundings, surroundingsOptions } from './surroundings.ts';
import { toolVersion } from './version.ts';

/** The identity that consumers shall demand: as said, as the CI tells, or a gap that anybody sees. */
function consumerTrust(call: Call): ConsumerTrust {
  const [identity] = listOption(call, 'identity');
  const issuer = stringOption(call, 'issuer') ?? 'https://token.actions.githubusercontent.com';
  if (identity !== undefined) return { $case: 'identity', identity, issuer };
  return signerHere(call.host.env) ?? { $case: 'identity', identity: 'IDENTITY-OF-THE-SIGNING-WORKFLOW', issuer };
}

/** What was printed is a view of the evidence. */
function tell({ push, tags, evidence, evidenceFile, reference }: PublishedVariant, trust: ConsumerTrust): string {
  const { gate, platforms, pins } = evidence;
  const engine = builtBy(evidence.builds);
  const moves = tags.map(
    ({ tag, before, after, moved }) => `  ${tag}  ${moved ? `${before ?? 'new'} → ${after}` : `already ${after}`}`,
  );
  const seen = gate?.platforms.map(({ checks }) => checks.filter(({ state }) => state === 'passed').length) ?? [];
  const passed = seen.reduce((sum, count) => sum + count, 0);
  const { registry, repository, digest } = parseImageRef(reference);
  const image = { repo: { registry, repository }, index: digest ?? evidence.digest };
  const commands = consumerCommands({ ...image, images: platforms.map(({ manifest }) => manifest) }, trust);
  return [
    `published ${reference} (${formatBytes(push.bytes)} uploaded)`,
    ...moves,
    ...platforms.map(({ platform, manifest }) => `  ${platform}  ${manifest}`),
    `  inputs ${evidence.inputDigest}: ${pins.length} pins${engine === undefined ? '' : `, built by ${engine}`}`,
    gate === undefined
      ? '  gate not recorded here'
      : `  gate passed ${gate.at}: ${passed} checks, ${gate.warnings} warnings, ${gate.waived} waived`,
    `  evidence ${relative(process.cwd(), evidenceFile)}`,
    'once it is signed and attested (runner-image sign, attest), anybody proves it with:',
    ...commands.map((args) => `  ${commandLine(args)}`),
  ].join('\n');
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('[variant]', 'variant to publish, from dist/<variant>', 'openshell')
      .option('--to <repository>', 'host/repository; the variant’s own otherwise')
      .option('--tag <list>', 'tags to move last')
      .option('--platform <list>', 'platforms that must be in it, for a trial; all of the plan otherwise')
      .option('--skip-gate', 'the gate was passed elsewhere, by this same digest')
      .option('--identity <uri>', 'who will sign it, for the command lines that consumers get; the CI’s own otherwise')
      .option('--issuer <url>', 'who vouches for that identity', 'https://token.actions.githubusercontent.com')
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
    const plan = narrowed(call, await planFor(call, variant, around));
    const layout = layoutDirectory(root, variant);
    const registry = createRegistry(host, { mirrors: around.mirrors, plainHttp: around.plainHttp });
    const lab =
      around.labRegistry === undefined
        ? undefined
        : `${around.labRegistry}/${plan.repository.split('/').slice(1).join('/')}`;
    const repository = stringOption(call, 'to') ?? lab ?? plan.repository;
    const gate = {
      root,
      version: toolVersion(),
      inheritedWaivers: around.waivers,
      dockerHost: around.dockerHost,
    };
    if (flag(call, 'dryRun')) {
      await gateLayout(host, { plan, layout, registry, gate });
      call.console.print(`would push ${layout} to ${repository}`);
      return exitCodes.clean;
    }
    const published = await publishVariant(host, {
      plan,
      layout,
      repository,
      registry,
      tags: listOption(call, 'tag'),
      inputTag: inputTag(plan),
      ...(flag(call, 'skipGate') ? {} : { gate }),
    });
    if (call.json) call.console.json(published);
    else call.console.print(tell(published, consumerTrust(call)));
    return exitCodes.clean;
  },
};
