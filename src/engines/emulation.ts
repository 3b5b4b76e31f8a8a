import { platforms, type Platform } from '../core/index.ts';
import type { Host } from '../host/index.ts';

const registry = '/proc/sys/fs/binfmt_misc';

/** ELF's e_machine (bytes 18 and 19, little-endian), as a registered magic holds it. */
const machines: Record<string, Platform> = { '3e00': 'linux/amd64', b700: 'linux/arm64' };

/** Node's own `process.arch` is the machine's: no command is needed for it. */
const ownPlatform: Platform | undefined =
  process.arch === 'x64' ? 'linux/amd64' : process.arch === 'arm64' ? 'linux/arm64' : undefined;

/**
 * emulatedBy reads one entry of binfmt_misc (Documentation/admin-guide/binfmt-misc.rst): undefined
 * unless it is enabled, for 64-bit ELF, and has the flag F, without which the interpreter would
 * have to lie inside every image.
 */
export function emulatedBy(entry: string): Platform | undefined {
  if (!/^enabled$/m.test(entry) || !/^flags:.*F/m.test(entry)) return undefined;
  const magic = /^magic 7f454c4602[0-9a-f]{26}([0-9a-f]{4})/m.exec(entry)?.[1];
  return magic === undefined ? undefined : machines[magic];
}

/** localPlatforms returns what this machine's kernel executes: its own platform and emulated ones. */
export async function localPlatforms(
  host: Host,
  own: Platform | undefined = ownPlatform,
): Promise<readonly Platform[]> {
  const names = await host.files.list(registry).catch(() => []);
  const entries = await Promise.all(
    names
      .filter((name) => name !== 'register' && name !== 'status')
      .map((name) => host.files.readText(`${registry}/${name}`, 4096).catch(() => '')),
  );
  const found = new Set<Platform | undefined>([own, ...entries.map(emulatedBy)]);
  return platforms.filter((platform) => found.has(platform));
}
