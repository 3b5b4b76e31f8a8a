import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../src/errors/index.ts';
import { findMirror } from '../apt.ts';
import { labPaths } from '../paths.ts';
import { run } from '../run.ts';

/** One program out of one Debian package, whichever suite it is from, held by the package's SHA-256. */
export interface DebianBinary {
  /** Below the mirror: `pool/main/c/cosign/cosign_3.1.1-2_amd64.deb`. */
  readonly pool: string;
  readonly sha256: string;
  /** Inside the package: `usr/bin/cosign`. */
  readonly path: string;
}

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * debianBinary downloads a package straight from the pool by apt's own downloader (which knows this
 * machine's proxies), verifies it, unpacks it into the lab's cache without running anything of it,
 * and gives the program's path. Nothing of the machine's packages is changed.
 */
export async function debianBinary({ pool, sha256, path }: DebianBinary): Promise<string> {
  const directory = join(labPaths().cache, 'tools', sha256.slice(0, 16));
  const program = join(directory, path);
  if (await there(program)) return program;
  const work = `${directory}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    const file = join(work, 'package.deb');
    const address = `${(await findMirror()).replace(/\/$/, '')}/${pool}`;
    await run('/usr/lib/apt/apt-helper', ['-oAPT::Sandbox::User=root', 'download-file', address, file]).catch(
      (cause: unknown) => {
        throw new AppError('lab/mirror-lacks', 'upstream', `the Debian mirror does not give ${pool}`, {
          hint: 'pools drop versions that were superseded: take the current one, run the tests with it, and change the version and its SHA-256 in test/lab/tools',
          cause,
        });
      },
    );
    const found = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    if (found !== sha256)
      throw new AppError('lab/checksum', 'upstream', `${pool} is not the package that was tested`, {
        expected: sha256,
        found,
      });
    const root = join(work, 'root');
    await run('dpkg-deb', ['--extract', file, root]);
    await rename(root, directory).catch(async (error: unknown) => {
      // Another run was faster; its copy went through the same check.
      if (!(await there(program))) throw error;
    });
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
