import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { AppError } from '../errors/index.ts';
import type { Deb } from './apt.ts';
import { debEntries, directory, sorted, tarOf, type TarEntry } from './entries.ts';
import { architectures, ghPackage, type Architecture } from './packages.ts';

export interface GhRelease {
  readonly version: string;
  /** File name → sha256, both architectures. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** makeGhRelease gives Debian's gh the shape of GitHub's own release: one directory, bin/gh in it. */
export async function makeGhRelease(
  site: string,
  sets: Readonly<Record<Architecture, ReadonlyMap<string, Deb>>>,
): Promise<GhRelease> {
  const version = /^[0-9.]+/.exec(sets.amd64.get(ghPackage)?.version ?? '')?.[0] ?? '';
  const checksums: Record<string, string> = {};
  const folder = join(site, 'cli/cli/releases/download', `v${version}`);
  await mkdir(folder, { recursive: true });
  for (const architecture of architectures) {
    const deb = sets[architecture].get(ghPackage);
    if (deb === undefined) throw new AppError('lab/gh', 'machine', `no ${ghPackage} for ${architecture}`);
    const root = `gh_${version}_linux_${architecture}`;
    const target = join(folder, `${root}.tar.gz`);
    let bytes = await readFile(target).catch(() => undefined);
    if (bytes === undefined) {
      const entries: TarEntry[] = [directory(root), directory(`${root}/bin`)];
      for await (const entry of debEntries(deb)) {
        if (entry.path === 'usr/bin/gh') entries.push({ ...entry, path: `${root}/bin/gh` });
        if (entry.path === 'usr/share/doc/gh/copyright') entries.push({ ...entry, path: `${root}/LICENSE` });
      }
      bytes = gzipSync(await buffer(tarOf(sorted(entries))), { level: 4 });
      await writeFile(target, bytes);
    }
    checksums[`${root}.tar.gz`] = createHash('sha256').update(bytes).digest('hex');
  }
  return { version, checksums };
}
