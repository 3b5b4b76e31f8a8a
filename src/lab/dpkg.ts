import type { Deb } from './apt.ts';
import { file, type TarEntry } from './entries.ts';

/** The stanza of dpkg's status file, so that `dpkg -l` and scanners see what is really installed. */
export function statusOf(debs: readonly Deb[]): string {
  return debs
    .map(({ control }) => control.replace(/^(Package: .*)$/m, '$1\nStatus: install ok installed') + '\n\n')
    .join('');
}

/** The list of a package's paths, as `dpkg -L` reads it (info/format 1: `name:arch` for Multi-Arch: same). */
export function listOf(deb: Deb, paths: readonly string[]): TarEntry {
  const multiarch = /^Multi-Arch: same$/m.test(deb.control) ? `${deb.name}:${deb.architecture}` : deb.name;
  return file(`var/lib/dpkg/info/${multiarch}.list`, ['/.', ...paths.map((path) => `/${path}`), ''].join('\n'));
}
