import { cpus, loadavg, release, totalmem } from 'node:os';
import { readFile } from 'node:fs/promises';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  /** Of the last minute, when the run began: more than a little means that others were at work. */
  readonly load: number;
}

export async function describeMachine(): Promise<Machine> {
  const release_ = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release_)?.[1] ?? 'unknown',
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

export function formatMachine(machine: Machine): string {
  const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  return `${machine.cpu}, ${machine.cores} cores, ${memory}; ${machine.system}, Linux ${machine.kernel}, Node ${machine.node}; load ${machine.load.toFixed(1)} at the start`;
}
