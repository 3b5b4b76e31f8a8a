import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { isAbsent, isRecord, text } from './json.ts';

/** What one configuration file says about logging in. */
export interface AuthFile {
  readonly path: string;
  /** Key as written (a host, a URL, or host/namespace) → entry. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string | undefined;
}

export interface AuthEntry {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
  readonly registryToken?: string | undefined;
}

const maxBytes = 1024 * 1024;

/**
 * authFilePaths lists where credentials are looked for, in order (containers-auth.json(5), docker-login(1)).
 * REGISTRY_AUTH_FILE and DOCKER_CONFIG are deliberate choices, so each of them leaves out what it stands in for.
 */
export function authFilePaths(env: Host['env'], uid = process.getuid?.()): string[] {
  const forced = env['REGISTRY_AUTH_FILE'];
  if (forced !== undefined && forced !== '') return [forced];
  const home = env['HOME'] ?? '';
  const paths: string[] = [];
  const dockerConfig = env['DOCKER_CONFIG'];
  if (dockerConfig !== undefined && dockerConfig !== '') paths.push(`${dockerConfig.replace(/\/+$/, '')}/config.json`);
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime !== undefined && runtime !== '') paths.push(`${runtime}/containers/auth.json`);
  // Without a session, as root in a job has none, `podman login` writes there.
  else if (uid !== undefined) paths.push(`/run/containers/${uid}/auth.json`);
  const config = env['XDG_CONFIG_HOME'] ?? (home === '' ? undefined : `${home}/.config`);
  if (config !== undefined && config !== '') paths.push(`${config}/containers/auth.json`);
  if (home !== '' && paths[0] !== `${home}/.docker/config.json` && (dockerConfig ?? '') === '')
    paths.push(`${home}/.docker/config.json`);
  return paths;
}

function readEntry(value: unknown): AuthEntry {
  if (!isRecord(value)) return {};
  const decoded = Buffer.from(text(value['auth']) ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const username = colon > 0 ? decoded.slice(0, colon) : text(value['username']);
  // Some writers pad the password with NULs.
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, '') : text(value['password']);
  const identityToken = text(value['identitytoken']);
  const registryToken = text(value['registrytoken']);
  return {
    username,
    password,
    identityToken,
    registryToken,
  };
}

function entries<T>(value: unknown, read: (value: unknown) => T | undefined): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  if (!isRecord(value)) return map;
  for (const [key, member] of Object.entries(value)) {
    const entry = read(member);
    if (entry !== undefined) map.set(key, entry);
  }
  return map;
}

/** readAuthFile returns undefined when there is no such file. Throws `registry/auth-file`, never quoting the content. */
export async function readAuthFile(host: Host, path: string): Promise<AuthFile | undefined> {
  let content: string;
  try {
    content = await host.files.readText(path, maxBytes);
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw new AppError('registry/auth-file', 'machine', 'the file with registry credentials cannot be read', {
      where: { file: path },
      cause,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // JSON.parse quotes the text in its message, and this text holds passwords.
    value = undefined;
  }
  if (!isRecord(value))
    throw new AppError('registry/auth-file', 'usage', 'the file with registry credentials is not a JSON object', {
      where: { file: path },
      hint: 'repair it, or write it anew with `docker login` or `podman login`',
    });
  const credsStore = text(value['credsStore']);
  return {
    path,
    auths: entries(value['auths'], readEntry),
    credHelpers: entries(value['credHelpers'], text),
    credsStore,
  };
}

/** normaliseKey reduces `https://Quay.io/v2/` to `quay.io`; a namespace behind the host stays. */
export function normaliseKey(key: string): string {
  return key
    .replace(/^https?:\/\//i, '')
    .replace(/\/(?:v[12]\/?)?$/, '')
    .replace(/^[^/]+/, (hostName) => hostName.toLowerCase());
}

/**
 * keysFor lists the keys that may name a repository, the most specific first. A host matches as a
 * whole or not at all: `quay.io` never matches `quay.io.example.com` or `myquay.io`.
 */
export function keysFor(registry: string, repository: string): string[] {
  const hosts = registry === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [registry];
  const parts = repository.split('/');
  return hosts.flatMap((name) => {
    const lower = name.toLowerCase();
    return [...parts.map((_, index) => `${lower}/${parts.slice(0, parts.length - index).join('/')}`), lower];
  });
}
