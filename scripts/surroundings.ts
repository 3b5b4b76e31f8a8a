import { join } from 'node:path';
import type { Command } from 'commander';
import type { Mirrors } from '../src/core/index.ts';
import { collect, flag, listOption, stringOption, type Call } from './command.ts';
import { readMirrors } from './mirrors.ts';
import { runnerSourceOf } from './plan-option.ts';
import { registryOptions } from './registry.ts';

/** Surroundings is where this machine gets bytes from and builds with: never what is expected of them. */
export interface Surroundings {
  readonly pinsFile?: string | undefined;
  readonly mirrors: Mirrors;
  readonly extraCa?: Uint8Array | undefined;
  readonly networkMode?: 'host' | undefined;
  readonly extraHosts: readonly string[];
  /** Proxy variables and the like, for RUN steps. */
  readonly machineArgs: Readonly<Record<string, string>>;
  /** `--endpoint` values, as given. */
  readonly endpoints: readonly string[];
  /** The engine that containers are started on. */
  readonly dockerHost?: string | undefined;
  /** Waiver files for what the lab's stand-ins cannot be. */
  readonly waivers: readonly string[];
  /** Folder of the runner's source (--runner-source), absolute. */
  readonly runnerSource?: string | undefined;
  /** The lab's registry, when it is the lab. */
  readonly labRegistry?: string | undefined;
}

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** surroundingsOptions adds the options that every command with upstreams or engines shares. */
export function surroundingsOptions(command: Command): void {
  command
    .option('--lab', 'work against the running lab (runner-image lab up) instead of the real upstreams')
    .option('--pins <file>', 'other pins than images/pins.yaml')
    .option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix; digests stay what they are')
    .option('--extra-ca <file>', 'PEM bundle for build steps behind a TLS-intercepting proxy; never in the image')
    .option('--endpoint <where>', 'Engine API: unix://…|tcp://…|ssh://…, or PLATFORM=… for one platform', collect);
  registryOptions(command);
}

function proxyArgs(call: Call): Record<string, string> {
  return Object.fromEntries(
    proxies.flatMap((name) => (call.host.env[name] === undefined ? [] : [[name, call.host.env[name]]])),
  );
}

async function labSurroundings(call: Call): Promise<Surroundings> {
  const { requireLab } = await import('../src/lab/state.ts');
  const { projectRoot } = await import('../src/lab/paths.ts');
  const lab = await requireLab();
  return {
    pinsFile: lab.pins,
    mirrors: lab.mirrors,
    extraCa: await call.host.files.read(lab.extraCa),
    networkMode: lab.network,
    extraHosts: lab.extraHosts,
    machineArgs: { ...proxyArgs(call), ...lab.proxies },
    endpoints: [lab.docker.classic],
    dockerHost: lab.docker.classic,
    labRegistry: lab.registry,
    waivers: [join(projectRoot, 'src/lab/waivers.yaml')],
  };
}

/** surroundings reads the shared options; `--lab` sets the lab's, and single options still win over them. */
export async function surroundings(call: Call): Promise<Surroundings> {
  const base: Surroundings = flag(call, 'lab')
    ? await labSurroundings(call)
    : { mirrors: { images: {}, urls: {} }, extraHosts: [], machineArgs: proxyArgs(call), endpoints: [], waivers: [] };
  const [pinsFile, mirrors, extraCa] = ['pins', 'mirrors', 'extraCa'].map((name) => stringOption(call, name));
  const endpoints = listOption(call, 'endpoint');
  const plain = endpoints.find((endpoint) => !/^linux\//.test(endpoint));
  return {
    ...base,
    pinsFile: pinsFile ?? base.pinsFile,
    mirrors: mirrors === undefined ? base.mirrors : readMirrors(mirrors),
    extraCa: extraCa === undefined ? base.extraCa : await call.host.files.read(extraCa),
    endpoints: endpoints.length === 0 ? base.endpoints : endpoints,
    dockerHost: plain ?? base.dockerHost,
    runnerSource: runnerSourceOf(call),
  };
}
