import { sign } from 'node:crypto';
import type { KeyPair } from './keys.ts';

/** Claims of a GitHub Actions token, as docs.github.com describes them; all of them made up. */
export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** `owner/repo/.github/workflows/file.yml@ref`: what the certificate's name is made of. */
  readonly job_workflow_ref: string;
  readonly [name: string]: string | number;
}

export const githubIssuer = 'https://token.actions.githubusercontent.com';

/** githubClaims is the identity that the tests sign with, unless they change it. */
export function githubClaims(now: Date, changes: Readonly<Record<string, string | number>> = {}): Claims {
  const seconds = Math.floor(now.getTime() / 1000);
  return {
    iss: githubIssuer,
    aud: 'sigstore',
    sub: 'repo:o/r:ref:refs/heads/main',
    job_workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/main',
    job_workflow_sha: '1'.repeat(40),
    workflow_ref: 'o/r/.github/workflows/build.yml@refs/heads/main',
    workflow_sha: '1'.repeat(40),
    workflow: 'build',
    repository: 'o/r',
    repository_id: '1',
    repository_owner: 'o',
    repository_owner_id: '2',
    repository_visibility: 'public',
    ref: 'refs/heads/main',
    sha: '1'.repeat(40),
    event_name: 'push',
    run_id: '77',
    run_attempt: '1',
    runner_environment: 'github-hosted',
    iat: seconds,
    nbf: seconds - 5,
    exp: seconds + 300,
    ...changes,
  };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** makeToken signs the claims as a JSON Web Token (ES256). */
export function makeToken(claims: Claims, keys: KeyPair): string {
  const text = `${part({ alg: 'ES256', typ: 'JWT', kid: 'kit' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

export function readClaims(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}
