import type { Host } from '../host/index.ts';
import { registriesOf } from './references.ts';
import type { Credentials } from './types.ts';

interface Login {
  readonly username: string;
  readonly secret: string;
}

/** loginsFor asks for every registry that a Dockerfile takes images from; those without a login are left out. */
export async function loginsFor(
  dockerfile: string,
  credentials: Credentials | undefined,
): Promise<ReadonlyMap<string, Login>> {
  const logins = new Map<string, Login>();
  if (credentials === undefined) return logins;
  for (const registry of registriesOf(dockerfile)) {
    const login = await credentials(registry);
    if (login !== undefined) logins.set(registry, login);
  }
  return logins;
}

/** authFile returns the text of containers-auth.json(5); an empty user name stands for an identity token. */
export function authFile(logins: ReadonlyMap<string, Login>): string {
  const auths = [...logins].map(([registry, { username, secret }]) => [
    registry,
    username === '' ? { identitytoken: secret } : { auth: Buffer.from(`${username}:${secret}`).toString('base64') },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

/** registryConfig returns the header X-Registry-Config of POST /build, which Podman reads. */
export function registryConfig(logins: ReadonlyMap<string, Login>): string {
  const entries = [...logins].map(([registry, { username, secret }]) => [
    registry,
    username === '' ? { identitytoken: secret } : { username, password: secret },
  ]);
  const json = JSON.stringify(Object.fromEntries(entries));
  return Buffer.from(json).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * withLoginFile runs `work` with a file that holds exactly the logins that this Dockerfile needs, readable by
 * this user alone and gone afterwards; without any, the machine's own configuration stays in force.
 */
export async function withLoginFile<T>(
  host: Host,
  dockerfile: string,
  credentials: Credentials | undefined,
  work: (file: string | undefined) => Promise<T>,
): Promise<T> {
  const logins = await loginsFor(dockerfile, credentials);
  if (logins.size === 0) return await work(undefined);
  const directory = await host.files.temporaryDirectory('runner-image-logins');
  const forget = host.onExit(() => host.files.remove(directory));
  try {
    const file = `${directory}/auth.json`;
    await host.files.write(file, authFile(logins), 0o600);
    return await work(file);
  } finally {
    forget();
    await host.files.remove(directory);
  }
}
