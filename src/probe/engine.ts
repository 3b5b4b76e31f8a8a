/** ContainerSpec is one container, before any engine's API is spoken. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly platform: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly command?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Port inside the container, published on a free port of 127.0.0.1 and nowhere else. */
  readonly port: number;
  /** Empty read-only mounts. */
  readonly readOnlyMounts: readonly string[];
  /** The engine's init as process 1. */
  readonly init: boolean;
}

export interface Process {
  readonly pid: number;
  /** As in /proc/<pid>/stat: R, S, D, Z… */
  readonly state: string;
  readonly command: string;
}

export interface Running {
  readonly id: string;
  readonly name: string;
  /** `http://127.0.0.1:PORT`; undefined when the container ended before it had one. */
  readonly url: string | undefined;
  /** The exit code once it has ended. */
  exitCode(): Promise<number | undefined>;
  /** Waits for the end; undefined when the milliseconds are over first. */
  wait(milliseconds: number, signal: AbortSignal): Promise<number | undefined>;
  signal(name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** The last 1 MiB of stdout and stderr together. */
  logs(): Promise<string>;
  processes(): Promise<readonly Process[]>;
  /** stdout of a command inside the container, 1 MiB at most, as the container's own user. */
  exec(command: readonly string[], milliseconds: number): Promise<string>;
  /** Kills and removes; no error when it is gone already. */
  remove(): Promise<void>;
}

/** ContainerEngine is what the probe needs of an Engine API. */
export interface ContainerEngine {
  start(spec: ContainerSpec, signal: AbortSignal): Promise<Running>;
  /** Removes every container that carries the label; returns how many there were. */
  removeAll(label: string): Promise<number>;
}
