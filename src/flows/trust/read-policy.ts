import { dirname, isAbsolute, join } from 'node:path';
import { maxYamlBytes, readYaml } from '../../config/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
// From its own file: publish reads a policy, and needs nothing else of the room.
import { policySchema, type TrustPolicy } from '../../sigstore/policy.ts';

/** Who signs this project's images, for everything that verifies them. */
export const ownPolicyFile = '.github/trust-policy.yaml';

/** What a policy file has for the repository that it is used in. */
const placeholder = '{repository}';
const address = /^https:\/\/[\w.-]+(?::\d+)?\/[\w.-]+\/[\w.-]+$/;

/** repositoryHere returns the repository whose workflow runs, e.g. `https://github.com/o/r`; undefined elsewhere. */
export function repositoryHere(env: Host['env']): string | undefined {
  const { GITHUB_ACTIONS: runs, GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: name } = env;
  return runs === 'true' && name !== undefined ? `${server}/${name}` : undefined;
}

/** filled puts the repository into a policy's text. Throws `trust/repository`. */
function filled(text: string, file: string, stated: string | undefined, here: string | undefined): string {
  const asks = text.includes(placeholder);
  const bad = (message: string, expected: string, found?: string): AppError =>
    new AppError('trust/repository', 'usage', message, { expected, found, where: { file } });
  if (!asks && stated !== undefined)
    throw bad('the policy names its repository already', `--policy alone, or a policy with ${placeholder}`, stated);
  if (!asks) return text;
  const repository = stated ?? here;
  if (repository === undefined)
    throw bad(`the policy is for any repository, and none is named`, '--repository https://github.com/OWNER/NAME');
  if (!address.test(repository))
    throw bad(
      'the repository is no address',
      'https://github.com/OWNER/NAME',
      JSON.stringify(repository.slice(0, 120)),
    );
  return text.replaceAll(placeholder, repository);
}

/** besidePolicy makes the key files of a policy absolute: they are named relative to its file. */
function besidePolicy(policy: TrustPolicy, file: string): TrustPolicy {
  const placed = <T extends object>(signer: T): T =>
    'key' in signer && typeof signer.key === 'string' && !isAbsolute(signer.key)
      ? { ...signer, key: join(dirname(file), signer.key) }
      : signer;
  return {
    ...policy,
    signer: placed(policy.signer),
    previousSigners: policy.previousSigners?.map(placed),
    approvers:
      policy.approvers === undefined
        ? undefined
        : Object.fromEntries(Object.entries(policy.approvers).map(([name, all]) => [name, all.map(placed)])),
  };
}

/**
 * readPolicy reads a policy file; every problem with its line. `{repository}` in it stands for `stated`, or the
 * repository of the running workflow. Throws `config/*`, `trust/repository`.
 */
export async function readPolicy(host: Host, file: string, stated?: string): Promise<TrustPolicy> {
  const text = filled(await host.files.readText(file, maxYamlBytes), file, stated, repositoryHere(host.env));
  return besidePolicy(readYaml(policySchema, text, file).value, file);
}
