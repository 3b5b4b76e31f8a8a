import { readFile } from 'node:fs/promises';
import { AppError } from '../errors/index.ts';
import type { Mirrors } from '../core/index.ts';
import type { Emulation } from './binfmt.ts';
import type { Daemon } from './daemons.ts';
import type { RunnerSource } from './runner-repo.ts';
import { labPaths, type LabPaths } from './paths.ts';

export type EngineKind = 'classic' | 'current';

export interface LabImage {
  readonly repository: string;
  readonly tag: string;
  /** Digest of the index. */
  readonly digest: string;
  /** `linux/amd64` → digest of its manifest. */
  readonly platforms: Readonly<Record<string, string>>;
}

/** LabState is `.lab/lab.json`: everything that flows and tests need to work against the lab. */
export interface LabState {
  readonly version: 1;
  readonly id: string;
  /** Hash over the lab's sources and the project's pins: when it changes, lab up makes things anew. */
  readonly inputs: string;
  /** Pins whose locked facts are the lab's. */
  readonly pins: string;
  readonly mirrors: Mirrors;
  readonly docker: {
    /** `unix:///…`: the machine's own engine where one answers, else the lab's. */
    readonly classic: string;
    /** Docker 26 with the containerd image store, when asked for. */
    readonly current?: string;
  };
  /** `127.0.0.1:PORT`, plain HTTP. */
  readonly registry: string;
  /** What github.com is here. */
  readonly github: string;
  /** Where `dnf` and `uv` fetch. */
  readonly packages: string;
  /** PEM bundle for builds: what this machine trusts beyond the usual, and the lab's CA. */
  readonly extraCa: string;
  /** The lab's CA alone. */
  readonly ca: string;
  readonly extraHosts: readonly string[];
  /** RUN steps reach loopback only so. */
  readonly network: 'host';
  readonly npmRegistry: string;
  /** Build arguments that carry this machine's proxies into RUN steps. */
  readonly proxies: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<'base' | 'uv' | 'supervisor', LabImage>>;
  readonly gh: { readonly version: string; readonly checksums: Readonly<Record<string, string>> };
  readonly python: string;
  readonly runner: RunnerSource;
  readonly daemons: readonly Daemon[];
  readonly bridges: readonly string[];
  readonly emulation: Emulation;
  readonly cache: string;
}

/** readLab gives the running lab's state, or undefined when none was started. */
export async function readLab(paths: LabPaths = labPaths()): Promise<LabState | undefined> {
  const text = await readFile(paths.state, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as Partial<LabState>;
  if (state.version === 1) return state as LabState;
  throw new AppError('lab/state', 'usage', 'the lab was started by another version of this project', {
    where: { file: paths.state },
    hint: 'runner-image lab down, then lab up',
  });
}

/** requireLab throws `lab/down` when there is none. */
export async function requireLab(paths: LabPaths = labPaths()): Promise<LabState> {
  const state = await readLab(paths);
  if (state !== undefined) return state;
  throw new AppError('lab/down', 'machine', 'the lab is not up', { hint: 'runner-image lab up' });
}
