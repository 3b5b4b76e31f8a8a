import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { authFilePaths, keysFor, normaliseKey, readAuthFile, type AuthEntry, type AuthFile } from './docker-config.ts';
import { isRecord, text } from './json.ts';
import type { Secrets } from './redact.ts';
import { formatRepository, type Repository } from './repository.ts';

/** How to show who we are to one registry. */
export type Credential =
  | { readonly $case: 'anonymous' }
  | { readonly $case: 'password'; readonly username: string; readonly password: string; readonly source: string }
  /** An OAuth2 refresh token, exchanged at the token endpoint. */
  | { readonly $case: 'identity'; readonly token: string; readonly source: string }
  /** A bearer token for the registry itself. */
  | { readonly $case: 'registry'; readonly token: string; readonly source: string };

const dockerHub = 'https://index.docker.io/v1/';

function ofEntry(entry: AuthEntry, source: string): Credential | undefined {
  if (entry.registryToken !== undefined) return { $case: 'registry', token: entry.registryToken, source };
  if (entry.identityToken !== undefined) return { $case: 'identity', token: entry.identityToken, source };
  if (entry.username !== undefined && entry.password !== undefined)
    return { $case: 'password', username: entry.username, password: entry.password, source };
  return undefined;
}

/** askHelper speaks the docker-credential-* protocol: server on stdin, JSON on stdout. */
async function askHelper(host: Host, secrets: Secrets, name: string, server: string): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9._-]+$/.test(name))
    throw new AppError('registry/credential-helper', 'usage', 'malformed name of a credential helper', {
      found: JSON.stringify(name.slice(0, 80)),
    });
  let result;
  try {
    result = await host.exec(program, ['get'], { input: `${server}\n`, timeout: 30_000, maxBytes: 1024 * 1024 });
  } catch (cause) {
    throw new AppError('registry/credential-helper', 'machine', `the credential helper ${program} could not run`, {
      expected: `${program} in PATH, as the docker configuration asks for`,
      hint: `install ${program}, or remove it from credHelpers/credsStore`,
      cause,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(result.stdout);
  } catch {
    value = undefined;
  }
  const username = isRecord(value) ? value['Username'] : undefined;
  const secret = isRecord(value) ? text(value['Secret']) : undefined;
  secrets.remember(secret);
  if (result.exitCode !== 0) {
    const said = `${result.stdout}\n${result.stderr}`;
    if (/credentials not found|not found in native keychain|no credentials/i.test(said)) return undefined;
    throw new AppError('registry/credential-helper', 'machine', `the credential helper ${program} failed`, {
      // stdout may hold a secret, so only stderr is shown.
      found: `exit code ${result.exitCode}: ${secrets.scrub(result.stderr)}`,
      hint: `try: echo ${server} | ${program} get`,
    });
  }
  if (typeof username !== 'string' || secret === undefined)
    throw new AppError('registry/credential-helper', 'machine', `${program} answered without Username and Secret`);
  if (username === '<token>') return { $case: 'identity', token: secret, source: program };
  return { $case: 'password', username, password: secret, source: program };
}

async function lookUp(host: Host, secrets: Secrets, file: AuthFile, repo: Repository): Promise<Credential | undefined> {
  const keys = keysFor(repo.registry, repo.repository);
  const server = repo.registry === 'docker.io' ? dockerHub : repo.registry;
  for (const key of keys) {
    const helper = [...file.credHelpers].find(([name]) => normaliseKey(name) === key)?.[1];
    if (helper !== undefined) return askHelper(host, secrets, helper, server);
  }
  for (const key of keys) {
    const entry = [...file.auths].find(([name]) => normaliseKey(name) === key)?.[1];
    const credential = entry === undefined ? undefined : ofEntry(entry, file.path);
    if (credential !== undefined) return credential;
  }
  return file.credsStore === undefined ? undefined : askHelper(host, secrets, file.credsStore, server);
}

/** Credentials finds, once per repository, what the user's configuration says. */
export class Credentials {
  readonly #host: Host;
  readonly #secrets: Secrets;
  readonly #files = new Map<string, Promise<AuthFile | undefined>>();
  readonly #found = new Map<string, Promise<Credential>>();

  constructor(host: Host, secrets: Secrets) {
    this.#host = host;
    this.#secrets = secrets;
  }

  /** Throws `registry/auth-file` or `registry/credential-helper`. */
  find(repo: Repository): Promise<Credential> {
    const key = formatRepository(repo);
    const known = this.#found.get(key) ?? this.#search(repo);
    this.#found.set(key, known);
    return known;
  }

  async #search(repo: Repository): Promise<Credential> {
    for (const path of authFilePaths(this.#host.env)) {
      const reading = this.#files.get(path) ?? readAuthFile(this.#host, path);
      this.#files.set(path, reading);
      const file = await reading;
      const credential = file === undefined ? undefined : await lookUp(this.#host, this.#secrets, file, repo);
      if (credential === undefined) continue;
      this.#secrets.remember(credential.$case === 'password' ? credential.password : undefined);
      if (credential.$case === 'identity' || credential.$case === 'registry') this.#secrets.remember(credential.token);
      return credential;
    }
    return { $case: 'anonymous' };
  }
}
