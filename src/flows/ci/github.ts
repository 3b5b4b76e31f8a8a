import type * as z from 'zod';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

const maxBytes = 4 * 1024 * 1024;

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Below the repository, e.g. `/issues`. */
  readonly path: string;
  readonly body?: unknown;
  /** What the job needs, for whoever reads the refusal. */
  readonly permission: string;
}

/**
 * askGitHub asks the API about this repository with the job's own token (GITHUB_API_URL,
 * GITHUB_REPOSITORY, GITHUB_TOKEN). Throws `ci/github`; the token is in no message.
 */
export async function askGitHub<T>(host: Host, schema: z.ZodType<T>, question: Question): Promise<T> {
  const { method, path, body, permission } = question;
  const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = host.env;
  if (!api || !token || !/^[\w.-]+\/[\w.-]+$/.test(repository ?? ''))
    throw new AppError('ci/github', 'usage', 'this step needs a workflow’s environment', {
      expected: 'GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN',
      hint: '--dry-run only tells what was found',
    });
  const response = await host.fetch(`${api}/repos/${repository ?? ''}${path}`, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'openshell-runner-images',
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += (part as Buffer).length;
    if (size > maxBytes) break;
    parts.push(part as Buffer);
  }
  const text = Buffer.concat(parts).toString('utf8');
  const answer = size > maxBytes || response.status >= 300 ? undefined : schema.safeParse(safeJson(text));
  if (answer?.success === true) return answer.data;
  throw new AppError('ci/github', 'upstream', `GitHub did not answer ${method} ${path} as documented`, {
    expected: 'status 2xx with the documented JSON',
    found: `${response.status}, ${size} bytes`,
    hint: `the job needs permission ${permission}`,
  });
}
