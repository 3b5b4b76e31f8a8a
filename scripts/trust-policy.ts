import type { Command } from 'commander';
import { AppError } from '../src/errors/index.ts';
import { ownPolicyFile, readPolicy } from '../src/flows/trust/read-policy.ts';
import { policySchema, type TrustPolicy } from '../src/sigstore/policy.ts';
import { flag, fromHere, listOption, stringOption, type Call } from './command.ts';

export const githubIssuer = 'https://token.actions.githubusercontent.com';
const oneSigner = `--policy FILE (this project’s: ${ownPolicyFile}), --identity with --repository, --ref and --trigger, or --key FILE`;

/** signerOptions adds who signs: a policy file or flags. */
export function signerOptions(command: Command): void {
  command
    .option('--policy <file>', 'YAML policy: signer, what every node needs (docs/verify.md)')
    .option('--identity <list>', 'certificate identities, whole: https://github.com/o/r/.github/workflows/f.yml@ref')
    .option('--issuer <url>', `who vouches for them (default: ${githubIssuer})`)
    .option('--repository <url>', 'the repository that ran the workflow: https://github.com/o/r')
    .option('--ref <list>', 'the refs that it may have run on: refs/heads/main')
    .option('--trigger <list>', 'the events that may have started it: push');
}

/** What flags say beside `--policy FILE`, which says it already; --repository fills in a policy's `{repository}`. */
const ofFlags = ['identity', 'issuer', 'ref', 'trigger', 'builder', 'key', 'require', 'nodes', 'withLegacy'] as const;
/** What only a certificate has. */
const ofCertificates = ['identity', 'issuer', 'repository', 'ref', 'trigger'] as const;

const spelt = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** refuseBeside: of two options that exclude each other neither is dropped in silence. Throws `cli/policy`. */
function refuseBeside(call: Call, option: string, others: readonly string[]): void {
  const given = others.filter((name) => call.options[name] !== undefined).map(spelt);
  if (call.options[option] === undefined || given.length === 0) return;
  throw new AppError('cli/policy', 'usage', `${spelt(option)} and ${given.join(', ')} contradict each other`, {
    expected: `${spelt(option)}, or the others`,
    hint: option === 'policy' ? 'state in the policy file what the options say' : undefined,
  });
}

/** policyOf reads --policy, or makes one of the flags; undefined when neither names a signer. Throws `cli/policy`. */
export async function policyOf(call: Call): Promise<TrustPolicy | undefined> {
  refuseBeside(call, 'policy', ofFlags);
  refuseBeside(call, 'key', ofCertificates);
  const file = stringOption(call, 'policy');
  const repository = stringOption(call, 'repository');
  if (file !== undefined) return await readPolicy(call.host, fromHere(file), repository);
  const [identities, key] = [listOption(call, 'identity'), stringOption(call, 'key')];
  if (identities.length === 0 && key === undefined) {
    const [useless] = ['repository', ...ofFlags].filter((name) => call.options[name] !== undefined);
    if (useless === undefined) return undefined;
    throw new AppError('cli/policy', 'usage', `${spelt(useless)} without a signer`, { expected: oneSigner });
  }
  const list = (name: string) => (call.options[name] === undefined ? undefined : listOption(call, name));
  const issuer = stringOption(call, 'issuer') ?? githubIssuer;
  const keyless = { identities, issuer, repository, ref: list('ref'), trigger: list('trigger') };
  const given = policySchema.safeParse({
    version: 1,
    signer: key === undefined ? keyless : { key: fromHere(key) },
    legacy: flag(call, 'withLegacy'),
    require: list('require'),
    nodes: stringOption(call, 'nodes'),
    builders: list('builder'),
  });
  if (given.success) return given.data;
  const { issues } = given.error;
  const absent = issues.filter(({ code }) => code === 'custom').flatMap(({ path: [, name] }) => spelt(String(name)));
  throw new AppError('cli/policy', 'usage', 'the options make no policy', {
    found: issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    hint: absent.length === 0 ? undefined : `add ${absent.join(', ')}`,
  });
}

/** demandPolicy: verifying without naming a signer would accept every signature. Throws `cli/policy`. */
export async function demandPolicy(call: Call): Promise<TrustPolicy> {
  const policy = await policyOf(call);
  if (policy !== undefined) return policy;
  throw new AppError('cli/policy', 'usage', 'no signer is named', { expected: oneSigner });
}
