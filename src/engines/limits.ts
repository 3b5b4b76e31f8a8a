import type { Host } from '../host/index.ts';

/**
 * What Buildah and Podman ask for where nothing else is said: no less, and more than a container or a CI machine may
 * allow, where each RUN then ends with "operation not permitted" (getrlimit(2): only CAP_SYS_RESOURCE raises a hard limit).
 */
const askedFor = 1_048_576;

/** The limits that both engines raise, as /proc/PID/limits (proc_pid_limits(5)) and `--ulimit` name them. */
const raised = [
  { row: 'Max open files', name: 'nofile' },
  { row: 'Max processes', name: 'nproc' },
] as const;

/**
 * parseHardLimits returns the hard limits below what the engines ask for: `{ nofile: 20000 }`. `pidMax` is the kernel's
 * highest process id: Buildah 1.28 lowers its own limit of processes to it, and may not raise it again.
 */
export function parseHardLimits(text: string, pidMax: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { row, name } of raised) {
    const hard = Number(new RegExp(`^${row} +\\S+ +(\\d+) `, 'm').exec(text)?.[1]);
    if (hard < askedFor) found.set(name, name === 'nproc' ? Math.min(hard, pidMax) : hard);
  }
  return found;
}

/** hardLimits reads them for this process, and so for what it starts; nothing where the kernel does not say. */
export async function hardLimits(host: Host): Promise<ReadonlyMap<string, number>> {
  const [limits, pidMax] = await Promise.all(
    ['/proc/self/limits', '/proc/sys/kernel/pid_max'].map((path) => host.files.readText(path, 65_536).catch(() => '')),
  );
  return parseHardLimits(limits ?? '', Number(pidMax?.trim()) || askedFor);
}

/** fittingLimits returns `nofile=20000:20000` for each limit that an engine would set too high here. */
export async function fittingLimits(host: Host): Promise<readonly string[]> {
  return [...(await hardLimits(host))].map(([name, hard]) => `${name}=${hard}:${hard}`);
}

/** isLimitRefused recognizes what runc, crun and Buildah's chroot say of a limit that they may not set. */
export function isLimitRefused(output: string): boolean {
  return /(?:rlimit|limit on)[^\n]*(?:operation not permitted|permission denied)/i.test(output);
}
