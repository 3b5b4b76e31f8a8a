import type { Host } from '../host/index.ts';
import { Credentials, type Credential } from './credentials.ts';
import { Secrets } from './redact.ts';
import type { Repository } from './repository.ts';

/** What `docker login` wrote, for tools that log in by themselves. */
export interface Login {
  /** Empty when the secret is an identity token, as BuildKit and docker's own configuration have it. */
  readonly username: string;
  readonly secret: string;
}

/** A bearer token for a registry is nothing that another tool could log in with. */
function loginOf(credential: Credential): Login | undefined {
  if (credential.$case === 'password') return { username: credential.username, secret: credential.password };
  return credential.$case === 'identity' ? { username: '', secret: credential.token } : undefined;
}

/** Docker Hub's API has another name than its images. */
const hub = /^(?:registry-1|index)\.docker\.io$/;

/**
 * createLogins finds who pulls from a registry's host, in the same places and order as the registry client.
 * `repositories` are those that will be read there: some logins hold for a namespace only. Nothing is read
 * before the first question. Throws `registry/auth-file` or `registry/credential-helper`.
 */
export function createLogins(
  host: Host,
  repositories: readonly Repository[],
): (registry: string) => Promise<Login | undefined> {
  const credentials = new Credentials(host, new Secrets());
  return async (asked) => {
    const registry = hub.test(asked) ? 'docker.io' : asked;
    const there = repositories.filter((repo) => repo.registry === registry);
    for (const repo of [...there, { registry, repository: '' }]) {
      const login = loginOf(await credentials.find(repo));
      if (login !== undefined) return login;
    }
    return undefined;
  };
}
