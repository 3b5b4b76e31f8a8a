import type * as z from 'zod';
import { AppError } from '../errors/index.ts';

export interface GitHubRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  /** Value of Authorization, which only GitHub itself may see. */
  readonly authorization: string | undefined;
  readonly body: string | undefined;
}

/** A transport sends one request and returns the JSON of its answer, undefined when nothing is there. */
export type GitHubTransport = (url: string, request: GitHubRequest) => Promise<unknown>;

/** ownerAndName reads `https://github.com/<owner>/<name>`. Throws `github/repository`. */
export function ownerAndName(repository: string): { readonly host: string; readonly path: string } {
  const { host, pathname } = new URL(repository);
  const [owner, name, ...rest] = pathname.replace(/^\/|\/$|\.git$/g, '').split('/');
  if (owner === undefined || owner === '' || name === undefined || rest.length > 0)
    throw new AppError('github/repository', 'usage', 'the repository names no owner and project', {
      expected: 'https://github.com/<owner>/<name>',
      found: repository,
    });
  return { host, path: `${owner}/${name}` };
}

/**
 * apiOf returns the API's address of a repository, and the token for it: that of the environment is github.com's
 * alone. GitHub Enterprise has its API below `/api/v3` (docs.github.com/enterprise-server, "REST API").
 */
export function apiOf(
  repository: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly api: string; readonly token: string | undefined } {
  const { host, path } = ownerAndName(repository);
  if (host !== 'github.com') return { api: `https://${host}/api/v3/repos/${path}`, token: undefined };
  return { api: `https://api.github.com/repos/${path}`, token: env['GITHUB_TOKEN'] ?? env['GH_TOKEN'] };
}

/** GitHub is the REST API of one repository (docs.github.com/rest). */
export class GitHub {
  readonly #api: string;
  readonly #authorization: string | undefined;
  readonly #send: GitHubTransport;
  readonly #errorCode: string;

  constructor(
    { api, token }: { readonly api: string; readonly token: string | undefined },
    send: GitHubTransport,
    errorCode: string,
  ) {
    this.#api = api;
    this.#authorization = token === undefined || token === '' ? undefined : `Bearer ${token}`;
    this.#send = send;
    this.#errorCode = errorCode;
  }

  /** ask returns what is at `path` below the repository, undefined when nothing is. Throws on another shape. */
  async ask<T>(
    schema: z.ZodType<T>,
    path: string,
    method: GitHubRequest['method'] = 'GET',
    body?: unknown,
  ): Promise<T | undefined> {
    const value = await this.#send(`${this.#api}${path}`, {
      method,
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
      authorization: this.#authorization,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (value === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new AppError(this.#errorCode, 'upstream', `GitHub did not answer ${method} ${path} as documented`, {
      expected: 'the JSON that docs.github.com/rest describes',
      found: parsed.error.issues[0]?.message ?? 'something else',
    });
  }
}
