import { Git, type Host } from '../../host/index.ts';

/** Who writes proposals: GitHub's own account of workflows. A branch with a commit of another author is left alone. */
export const bot = { name: 'github-actions[bot]', email: '41898282+github-actions[bot]@users.noreply.github.com' };

/** The token goes to GitHub alone, by git's environment: arguments are seen by every process of the machine. */
function authorization({ env }: Host): Record<string, string> {
  const { GITHUB_TOKEN: token, GITHUB_SERVER_URL: server } = env;
  if (!token || !server?.startsWith('https://')) return {};
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${server}/.extraheader`,
    GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${basic}`,
  };
}

const hintFor = (said: string): string =>
  /refusing to allow|workflow/.test(said)
    ? 'files of workflows need a token with permission workflows: the secret BUMP_TOKEN (docs/workflows.md)'
    : 'try the same by hand';

/** git runs in the project. Throws `ci/git` unless `may` fail: then undefined. */
export async function git(
  host: Host,
  root: string,
  args: readonly string[],
  may?: 'fail',
): Promise<string | undefined> {
  const project = new Git(host, { directory: root, code: 'ci/git', env: authorization(host), hint: hintFor });
  return may === 'fail' ? project.ask(args) : project.run(args);
}

/** branchOf is where a group's one proposal lives. */
export const branchOf = (group: string): string => `bump/${group}`;

/** fetchBranch returns the commit of a branch at origin, with its history; undefined when there is none. */
export async function fetchBranch(host: Host, root: string, branch: string): Promise<string | undefined> {
  const listed = await git(host, root, ['ls-remote', '--', 'origin', `refs/heads/${branch}`]);
  if (listed?.trim() === '' || listed === undefined) return undefined;
  await git(host, root, ['fetch', '--quiet', '--no-tags', 'origin', `refs/heads/${branch}`]);
  return (await git(host, root, ['rev-parse', '--verify', 'FETCH_HEAD']))?.trim();
}
