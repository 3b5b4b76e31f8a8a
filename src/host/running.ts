import type { Host } from './types.ts';

/** Signal 0 asks whether a process is there; EPERM says it is, under another user. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The state and the start (clock ticks since boot) of a process, fields 3 and 22 of proc_pid_stat(5). */
async function procStat(host: Host, pid: number): Promise<{ state: string; ticks: string } | undefined> {
  try {
    const text = await host.files.readText(`/proc/${pid}/stat`, 4096);
    // Field 2 is the command's name in parentheses, which may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', ticks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/**
 * startOf returns when a process began, as a text that no other process of this machine shares, or undefined where
 * the machine does not say. A process that has ended and is not reaped yet began never.
 */
export async function startOf(host: Host, pid: number): Promise<string | undefined> {
  const stat = await procStat(host, pid);
  if (stat !== undefined) {
    if (/[ZX]/.test(stat.state)) return 'ended';
    const boot = await host.files.readText('/proc/sys/kernel/random/boot_id', 128).catch(() => '');
    return `${boot.trim()} ${stat.ticks}`.trim();
  }
  if (process.platform === 'linux') return undefined;
  const { exitCode, stdout } = await host.exec('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** isRunning: the very process that began at `started` still runs. Where its start is unknown, its id alone counts. */
export async function isRunning(host: Host, pid: number, started: string | undefined): Promise<boolean> {
  if (!isThere(pid)) return false;
  const now = await startOf(host, pid);
  if (now === 'ended') return false;
  return now === undefined || started === undefined || now === started;
}
