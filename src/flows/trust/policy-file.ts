import { isAbsolute, join, dirname } from 'node:path';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { maxYamlBytes, readYaml } from '../../config/index.ts';
import {
  createVerifier,
  isKeyless,
  keyTrust,
  maxTrustedRootBytes,
  policySchema,
  readTrustedRoot,
  type BundleVerifier,
  type Trust,
  type TrustPolicy,
} from '../../sigstore/index.ts';

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

/**
 * readPolicy reads a policy file; every problem with its line. `{repository}` in it stands for `stated`, or the
 * repository of the running workflow. Throws `config/*`, `trust/repository`.
 */
export async function readPolicy(host: Host, file: string, stated?: string): Promise<TrustPolicy> {
  const text = filled(await host.files.readText(file, maxYamlBytes), file, stated, repositoryHere(host.env));
  const { value } = readYaml(policySchema, text, file);
  if (isKeyless(value.signer)) return value;
  const { key } = value.signer;
  return { ...value, signer: { key: isAbsolute(key) ? key : join(dirname(file), key) } };
}

/** TrustLoader fetches the public trust root by TUF; handed in, so that only an online run needs it. */
export type TrustLoader = () => Promise<string>;

export interface TrustSources {
  /** trusted_root.json; with it nothing but the registry is asked. */
  readonly trustedRoot?: string | undefined;
  readonly online?: TrustLoader | undefined;
}

export async function rootOf(host: Host, sources: TrustSources): Promise<string | undefined> {
  if (sources.trustedRoot !== undefined) return await host.files.readText(sources.trustedRoot, maxTrustedRootBytes);
  return await sources.online?.();
}

/** checkSources refuses trust roots that exclude each other, or that would be asked for nothing. */
export function checkSources({ trustedRoot, online }: TrustSources, signedBy: 'key' | 'identity'): void {
  if (trustedRoot !== undefined && online !== undefined)
    throw new AppError('trust/two-roots', 'usage', 'two trust roots are named', {
      expected: '--trusted-root FILE or --online, not both',
    });
  if (signedBy === 'key' && online !== undefined)
    throw new AppError('trust/key-online', 'usage', 'a key is verified without the public trust root', {
      expected: 'the key alone, or with --trusted-root FILE for the log and timestamps of your own instance',
      found: '--online',
    });
}

/**
 * makeVerifier joins a policy with the trust root. Throws `trust/no-root`, `trust/two-roots`, `trust/key-online`,
 * `sigstore/trusted-root`.
 */
export async function makeVerifier(host: Host, policy: TrustPolicy, sources: TrustSources): Promise<BundleVerifier> {
  checkSources(sources, isKeyless(policy.signer) ? 'identity' : 'key');
  if (!isKeyless(policy.signer)) {
    const text = sources.trustedRoot === undefined ? undefined : await rootOf(host, sources);
    const root: Trust | undefined = text === undefined ? undefined : await readTrustedRoot(text, 'key');
    return await createVerifier(await keyTrust(await host.files.readText(policy.signer.key, 64 * 1024), root), policy);
  }
  const text = await rootOf(host, sources);
  if (text === undefined)
    throw new AppError('trust/no-root', 'usage', 'no trust root', {
      expected: '--trusted-root FILE, or --online for the public one',
    });
  return await createVerifier(await readTrustedRoot(text), policy);
}
