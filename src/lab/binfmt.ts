import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import { unpack, type PrivateApt } from './apt.ts';
import { exists } from './host.ts';
import { emulatorPackage, type Architecture } from './packages.ts';
import { run, succeeds } from './run.ts';

const mountPoint = '/proc/sys/fs/binfmt_misc';

/** ELF headers of the foreign architecture (QEMU's scripts/qemu-binfmt-conf.sh names the same). */
const magics: Record<Architecture, { readonly machine: string; readonly magic: string; readonly mask: string }> = {
  arm64: {
    machine: 'aarch64',
    magic: '7f454c460201010000000000000000000200b700',
    mask: 'ffffffffffffff00fffffffffffffffffeffffff',
  },
  amd64: {
    machine: 'x86_64',
    magic: '7f454c4602010100000000000000000002003e00',
    mask: 'fffffffffffefe00fffffffffffffffffeffffff',
  },
};

export interface Emulation {
  /** Name of the lab's own registration, to be removed by `lab down`. */
  readonly entry?: string;
  readonly mounted: boolean;
  readonly interpreter: string;
}

const escaped = (hex: string): string => hex.replace(/../g, '\\x$&');

async function emulator(apt: PrivateApt, cache: string, host: Architecture, machine: string): Promise<string> {
  const debs = await apt.solve('emulator', host, [emulatorPackage]);
  const deb = debs.get(emulatorPackage);
  if (deb === undefined) throw new AppError('lab/emulator', 'machine', `no package ${emulatorPackage}`);
  const target = join(cache, 'emulator', `${deb.version.replace(/[^\w.]+/g, '-')}-qemu-${machine}`);
  if (await exists(target)) return target;
  await mkdir(join(cache, 'emulator'), { recursive: true });
  const tree = `${target}.tree`;
  await unpack(deb, tree);
  await copyFile(join(tree, 'usr/bin', `qemu-${machine}`), `${target}.partial`);
  await chmod(`${target}.partial`, 0o755);
  await rename(`${target}.partial`, target);
  await rm(tree, { recursive: true });
  return target;
}

/**
 * ensureEmulation registers QEMU 10 under a name of the lab's own. The kernel asks the newest
 * registration first, so what the machine already has stays untouched and comes back into force
 * after `lab down`; QEMU 7.2, which Debian 12 registers, takes four times as long for Python.
 * `F` opens the interpreter now: containers need no copy of it.
 */
export async function ensureEmulation(
  apt: PrivateApt,
  cache: string,
  host: Architecture,
  id: string,
): Promise<Emulation> {
  const { machine, magic, mask } = magics[host === 'amd64' ? 'arm64' : 'amd64'];
  const isRoot = process.getuid?.() === 0;
  const theirs = join(mountPoint, `qemu-${machine}`);
  if (!isRoot) {
    const registered = await readFile(theirs, 'utf8').catch(() => undefined);
    const interpreter = /^interpreter (.*)$/m.exec(registered ?? '')?.[1];
    if (interpreter !== undefined) return { mounted: false, interpreter };
    throw new AppError('lab/no-emulation', 'machine', `nothing runs ${machine} programs here`, {
      hint: 'run lab up as root, or apt-get install qemu-user-static binfmt-support',
    });
  }
  const mounted = !(await exists(join(mountPoint, 'register')));
  if (mounted && !(await succeeds('mount', ['-t', 'binfmt_misc', 'binfmt_misc', mountPoint])))
    throw new AppError('lab/no-binfmt', 'machine', "the kernel's binfmt_misc cannot be mounted", {
      expected: mountPoint,
      hint: 'modprobe binfmt_misc on the host of this container, or build for one platform only',
    });
  const interpreter = await emulator(apt, cache, host, machine);
  const entry = `openshell-lab-${machine}-${id}`;
  await removeEntry(entry);
  const rule = `:${entry}:M:0:${escaped(magic)}:${escaped(mask)}:${interpreter}:FOC`;
  await writeFile(join(mountPoint, 'register'), rule).catch((cause: unknown) => {
    throw new AppError('lab/binfmt', 'machine', `the kernel refused the registration of ${machine}`, { cause });
  });
  return { entry, mounted, interpreter };
}

async function removeEntry(entry: string): Promise<void> {
  if (await exists(join(mountPoint, entry))) await writeFile(join(mountPoint, entry), '-1');
}

/** dropEmulation takes back what ensureEmulation did. */
export async function dropEmulation({ entry, mounted }: Emulation): Promise<void> {
  if (entry === undefined) return;
  await removeEntry(entry);
  if (mounted) await run('umount', [mountPoint]).catch(() => undefined);
}
