import type { Host } from '../host/index.ts';
import { registriesOf } from './references.ts';

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/** loopbackRegistries returns the registries on this very machine that a Dockerfile takes images from. */
export function loopbackRegistries(dockerfile: string): string[] {
  return registriesOf(dockerfile).filter((host) => loopback.test(host));
}

/** registriesConf lets exactly these registries speak plain HTTP (containers-registries.conf(5)). */
export function registriesConf(registries: readonly string[]): string {
  const entries = registries.map(
    (location) => `[[registry]]\nlocation = ${JSON.stringify(location)}\ninsecure = true\n`,
  );
  return ['unqualified-search-registries = []\n', ...entries].join('\n');
}

/**
 * withRegistries runs `work` with the environment that Buildah needs: Docker takes loopback
 * registries for insecure by itself, Buildah needs it configured. Where none is used, the machine's
 * own configuration stays in force.
 */
export async function withRegistries<T>(
  host: Host,
  dockerfile: string,
  work: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const registries = loopbackRegistries(dockerfile);
  if (registries.length === 0) return await work({});
  const directory = await host.files.temporaryDirectory('runner-image-registries-');
  const forget = host.onExit(() => host.files.remove(directory));
  try {
    await host.files.write(`${directory}/registries.conf`, registriesConf(registries));
    return await work({ CONTAINERS_REGISTRIES_CONF: `${directory}/registries.conf` });
  } finally {
    forget();
    await host.files.remove(directory);
  }
}
