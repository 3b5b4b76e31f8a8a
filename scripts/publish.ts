import { join, relative } from 'node:path';
import { formatBytes, parseImageRef } from '../src/core/index.ts';
import { AppError, exitCodes } from '../src/errors/index.ts';
import { builtBy } from '../src/evidence/index.ts';
import { layoutDirectory } from '../src/flows/build/names.ts';
import { summarise } from '../src/flows/ci/runner-files.ts';
import { publish, rehearse, type GateCheck, type Gating, type Published } from '../src/flows/publish/index.ts';
import {
  commandLine,
  consumerCommands,
  consumerTrustOf,
  type ConsumerTrust,
} from '../src/flows/trust/consumer-commands.ts';
import { ownPolicyFile, readPolicy, repositoryHere } from '../src/flows/trust/read-policy.ts';
import {
  examples,
  flag,
  listOption,
  pathOption,
  printResult,
  stringOption,
  type Call,
  type CommandModule,
} from './command.ts';
import { narrowedPlanFor, planOption, runnerSourceOption } from './plan-option.ts';
import { environmentOptions, readEnvironment } from './environment-options.ts';
import { githubIssuer, policyOf, signerOptions } from './trust-policy.ts';
import { toolVersion } from './version.ts';

/** What consumers are to demand: as the options or the project's policy say, or gaps that every reader sees. */
async function consumerTrust(call: Call): Promise<ConsumerTrust> {
  const { env, files } = call.host;
  const own = join(call.root, ownPolicyFile);
  const isKnown = repositoryHere(env) !== undefined && (await files.stat(own))?.type === 'file';
  const policy = (await policyOf(call)) ?? (isKnown ? await readPolicy(call.host, own) : undefined);
  const trust = policy === undefined ? undefined : consumerTrustOf(policy, env['GITHUB_EVENT_NAME']);
  return (
    trust ?? {
      $case: 'identity',
      identity: 'IDENTITY-OF-THE-SIGNING-WORKFLOW',
      issuer: githubIssuer,
      ...{ repository: 'OWNER/NAME', ref: 'REF', trigger: 'TRIGGER' },
    }
  );
}

/** What was printed is a view of the evidence. */
function publishedText(
  { push, tags, evidence, evidenceFile, reference, digest }: Published,
  trust: ConsumerTrust,
): string {
  const { gate, platforms, pins, runs } = evidence;
  const engine = builtBy(evidence.builds);
  const moves = tags.map(
    ({ tag, before, after, moved }) => `  ${tag}  ${moved ? `${before ?? 'new'} → ${after}` : `already ${after}`}`,
  );
  const passed = runs.flatMap(({ checks }) => checks).filter(({ state }) => state === 'passed').length;
  const { registry, repository } = parseImageRef(reference);
  const image = { repo: { registry, repository }, index: digest, images: platforms.map(({ manifest }) => manifest) };
  return [
    `published ${reference} (${formatBytes(push.bytes)} uploaded)`,
    ...moves,
    ...platforms.map(({ platform, manifest }) => `  ${platform}  ${manifest}`),
    `  inputs ${evidence.inputDigest}: ${pins.length} pins${engine === undefined ? '' : `, built by ${engine}`}`,
    gate === undefined
      ? '  gate not recorded here'
      : `  gate passed ${gate.at}: ${passed} checks, ${gate.warnings} warnings, ${gate.waived} waived`,
    `  evidence ${relative(process.cwd(), evidenceFile)}`,
    'once it is signed and attested (runner-image sign, attest), cosign proves it with:',
    ...consumerCommands(image, trust).map((args) => `  ${commandLine(args)}`),
  ].join('\n');
}

/** How it gets through the gate: at most one of three options says that something was seen elsewhere. */
function gatingOf(call: Call, check: GateCheck): Gating {
  const evidence = pathOption(call, 'evidence');
  const given = [evidence !== undefined, flag(call, 'recordedRuns'), flag(call, 'skipGate')].filter(Boolean);
  if (given.length > 1)
    throw new AppError('cli/usage', 'usage', 'the gate was either held here, recorded, or skipped', {
      expected: 'at most one of --evidence, --recorded-runs and --skip-gate',
    });
  if (evidence !== undefined) return { $case: 'recorded', evidence };
  if (flag(call, 'skipGate')) return { $case: 'skipped' };
  return { $case: flag(call, 'recordedRuns') ? 'recorded-runs' : 'start', check };
}

export const command: CommandModule = {
  define(command) {
    command
      .argument('[variant]', 'variant to publish, from dist/<variant>', 'openshell')
      .option('--to <repository>', 'host/repository; the variant’s own otherwise')
      .option('--tag <list>', 'tags to move last')
      .option('--digest-only', 'move no tag, not even the one by which the same inputs are found again')
      .option('--platform <list>', 'platforms that must be in it, for a trial; all of the plan otherwise')
      .option('--evidence <file>', 'the gate passed on another machine, by this same digest: its evidence.json')
      .option('--recorded-runs', 'start nothing here: `check --run --evidence` recorded every platform')
      .option('--skip-gate', 'the gate was passed elsewhere, by this same digest, and nothing records it')
      .option(...planOption)
      .option(...runnerSourceOption)
      .option('--dry-run', 'hold it against the gate, push nothing');
    // Who will sign it, for the command lines that consumers get.
    signerOptions(command);
    environmentOptions(command);
    examples(command, [
      ['runner-image publish --tag latest', 'gate, push dist/openshell by digest, then move the tag'],
      ['runner-image publish standard --to 127.0.0.1:5000/demo/standard --lab', 'into the lab’s registry'],
      ['runner-image publish --dry-run --recorded-runs', 'the gate over what native machines recorded'],
      ['runner-image publish --evidence evidence.json --digest-only', 'what passed the gate on another machine'],
    ]);
  },
  async run(call) {
    const { host, root } = call;
    const variant = call.args[0] ?? 'openshell';
    const environment = await readEnvironment(call);
    const plan = await narrowedPlanFor(call, variant, environment);
    const layout = layoutDirectory(root, variant);
    const { registry, labRegistry, waivers: inheritedWaivers, dockerHost } = environment;
    const lab = labRegistry === undefined ? undefined : [labRegistry, ...plan.repository.split('/').slice(1)].join('/');
    const repository = stringOption(call, 'to') ?? lab ?? plan.repository;
    const gate = gatingOf(call, { root, registry, version: toolVersion(), inheritedWaivers, dockerHost });
    if (flag(call, 'dryRun')) {
      const { evidence } = await rehearse(host, { plan, layout, gate });
      await summarise(host, `**${variant}** passed the gate on every platform: \`${evidence.digest}\``);
      printResult(call, { layout, repository, evidence }, `would push ${layout} to ${repository}`);
      return exitCodes.clean;
    }
    const trust = await consumerTrust(call);
    const tags = flag(call, 'digestOnly') ? 'none' : listOption(call, 'tag');
    const published = await publish(host, { plan, layout, repository, registry, tags, gate });
    await summarise(host, `pushed \`${published.reference}\``);
    printResult(call, published, publishedText(published, trust));
    return exitCodes.clean;
  },
};
