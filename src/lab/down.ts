import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dropEmulation } from './binfmt.ts';
import { findDaemons, stopDaemon } from './daemons.ts';
import { bridgeOf } from './engines.ts';
import { exists } from './host.ts';
import { withLock } from './lock.ts';
import { labPaths } from './paths.ts';
import { run } from './run.ts';
import { readLab } from './state.ts';

export interface DownOptions {
  /** Also removes the downloads. */
  readonly cache?: boolean;
  /** The caller holds the lab's lock. */
  readonly locked?: boolean;
}

/** What a killed engine left mounted below the lab, deepest first. */
async function unmountBelow(directories: readonly string[]): Promise<void> {
  const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const points = lines.map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  const ours = points.filter((point) => directories.some((one) => point === one || point.startsWith(`${one}/`)));
  for (const point of ours.reverse()) await run('umount', ['--lazy', point]).catch(() => undefined);
}

/** Registrations and bridges carry the lab's id: they are found even when the state file is gone. */
async function dropKernelState(id: string): Promise<void> {
  const binfmt = '/proc/sys/fs/binfmt_misc';
  for (const name of await readdir(binfmt).catch(() => []))
    if (name.startsWith('openshell-lab-') && name.endsWith(id)) await writeFile(join(binfmt, name), '-1');
  for (const kind of ['classic', 'current'] as const) {
    const bridge = bridgeOf(id, kind);
    if (await exists(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]).catch(() => undefined);
  }
}

/** down stops and removes everything that up made; the download cache stays unless it is named. */
export async function down(options: DownOptions = {}): Promise<void> {
  const paths = labPaths();
  const work = async (): Promise<void> => {
    const state = await readLab(paths).catch(() => undefined);
    for (const daemon of [...(state?.daemons ?? [])].reverse()) await stopDaemon(daemon);
    // The engine's shims and containers go with it; what is left belongs to a start that was cut off.
    const places = [`${paths.run}/`, join(paths.lab, 'registry/config.json'), join(paths.lab, 'server/config.json')];
    for (const daemon of await findDaemons(places)) await stopDaemon(daemon);
    if (state !== undefined) await dropEmulation(state.emulation);
    if (process.getuid?.() === 0) {
      await dropKernelState(paths.id);
      await unmountBelow([paths.lab, paths.run]);
    }
    for (const directory of [paths.lab, paths.run]) await rm(directory, { recursive: true, force: true });
    if (options.cache === true) await rm(paths.cache, { recursive: true, force: true });
  };
  await (options.locked === true ? work() : withLock(paths.lock, work));
}
