import type * as z from 'zod';
import { collectBytes } from '../../core/bytes.ts';
import { AppError } from '../../errors/index.ts';
import { GitHub, type GitHubRequest, type Host } from '../../host/index.ts';

const maxBytes = 4 * 1024 * 1024;

export interface Question {
  readonly method: GitHubRequest['method'];
  /** Below the repository, e.g. `/issues`. */
  readonly path: string;
  readonly body?: unknown;
  /** What the job needs, for the hint of a refusal. */
  readonly permission: string;
}

/** send asks once: what creates or changes something is not tried again. */
async function send(host: Host, url: string, request: GitHubRequest, permission: string): Promise<unknown> {
  const { method, headers, authorization = '', body } = request;
  const response = await host.fetch(url, {
    method,
    headers: { ...headers, authorization, 'content-type': 'application/json' },
    body,
  });
  const bytes = await collectBytes(response.body, maxBytes);
  const refused = (found: string, cause?: unknown): AppError =>
    new AppError('ci/github', 'upstream', `GitHub did not answer ${method} ${new URL(url).pathname} as documented`, {
      expected: 'status 2xx with the documented JSON',
      found: `${response.status}, ${found}`,
      hint: `the job needs permission ${permission}`,
      cause,
    });
  if (bytes === undefined || response.status >= 300) throw refused(`${bytes?.length ?? 'too many'} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw refused('no JSON', cause);
  }
}

/**
 * askGitHub asks the API about this repository with the job's own token (GITHUB_API_URL,
 * GITHUB_REPOSITORY, GITHUB_TOKEN). Throws `ci/github`; the token is in no message.
 */
export async function askGitHub<T>(host: Host, schema: z.ZodType<T>, question: Question): Promise<T> {
  const { method, path, body, permission } = question;
  const { GITHUB_API_URL: url, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = host.env;
  if (!url || !token || !/^[\w.-]+\/[\w.-]+$/.test(repository ?? ''))
    throw new AppError('ci/github', 'usage', 'this step needs a workflow’s environment', {
      expected: 'GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN',
      hint: '--dry-run only prints what was found',
    });
  const api = `${url}/repos/${repository ?? ''}`;
  const github = new GitHub({ api, token }, (at, request) => send(host, at, request, permission), 'ci/github');
  const answer = await github.ask(schema, path, method, body);
  if (answer !== undefined) return answer;
  throw new AppError('ci/github', 'upstream', `GitHub did not answer ${method} ${path}`, { found: 'nothing' });
}
