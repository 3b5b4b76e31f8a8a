/** Who built: what the CI says of itself. Facts that it does not state are absent. */
export interface BuildSite {
  /** URI of the builder: on GitHub the workflow that ran the job. */
  readonly builder: string;
  /** URI of this run. */
  readonly invocation?: string | undefined;
  readonly workflow?: { readonly ref: string; readonly repository: string; readonly path: string } | undefined;
  readonly source?: { readonly uri: string; readonly commit: string } | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

/** The builder of an image built by hand; no policy should trust it. */
export const localBuilder = 'https://ambient-code.io/openshell-runner-images/builders/local';

type Environment = Readonly<Record<string, string | undefined>>;

function claimsOf(token: string | undefined): Record<string, unknown> {
  if (token === undefined) return {};
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** `owner/repo/.github/workflows/x.yml@refs/heads/main` in its three parts. */
function splitWorkflow(server: string, ref: string): BuildSite['workflow'] {
  const [path = '', branch] = ref.split('@');
  const parts = path.split('/');
  if (branch === undefined || parts.length < 3) return undefined;
  return { ref: branch, repository: `${server}/${parts.slice(0, 2).join('/')}`, path: parts.slice(2).join('/') };
}

/**
 * buildSite reads GitHub Actions' environment. The builder is the workflow of the job, which a
 * reusable workflow's environment does not name: the identity token does (`job_workflow_ref`).
 */
export function buildSite(env: Environment, token?: string): BuildSite {
  if (env['GITHUB_ACTIONS'] !== 'true') return { builder: localBuilder };
  const server = env['GITHUB_SERVER_URL'] ?? 'https://github.com';
  const { GITHUB_WORKFLOW_REF: caller, GITHUB_REPOSITORY: repository, GITHUB_SHA: commit, GITHUB_REF: ref } = env;
  const claimed = claimsOf(token)['job_workflow_ref'];
  const job = typeof claimed === 'string' ? claimed : caller;
  const run = env['GITHUB_RUN_ID'];
  const attempt = env['GITHUB_RUN_ATTEMPT'];
  const address = `${server}/${repository ?? ''}`;
  const isRun = repository !== undefined && run !== undefined && attempt !== undefined;
  const isSource = repository !== undefined && commit !== undefined && ref !== undefined;
  const parameters = Object.fromEntries(
    [
      ['event_name', env['GITHUB_EVENT_NAME']],
      ['repository_id', env['GITHUB_REPOSITORY_ID']],
      ['repository_owner_id', env['GITHUB_REPOSITORY_OWNER_ID']],
      ['runner_environment', env['RUNNER_ENVIRONMENT']],
    ].filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    builder: job === undefined ? localBuilder : `${server}/${job}`,
    invocation: isRun ? `${address}/actions/runs/${run}/attempts/${attempt}` : undefined,
    workflow: caller === undefined ? undefined : splitWorkflow(server, caller),
    source: isSource ? { uri: `git+${address}@${ref}`, commit } : undefined,
    parameters,
  };
}
