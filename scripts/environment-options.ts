import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { Mirrors } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { projectRoot } from '../src/lab/paths.ts';
import { requireLab } from '../src/lab/state.ts';
import type { Registry } from '../src/registry/index.ts';
import { collect, flag, listOption, pathOption, stringOption, type Call } from './command.ts';
import { registryOf, registryOptions } from './registry.ts';

/** Environment is where this machine gets bytes from and builds with: never what is expected of them. */
export interface Environment {
  readonly pinsFile?: string | undefined;
  readonly mirrors: Mirrors;
  /** The client of all registries, mirrors included. */
  readonly registry: Registry;
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

/** environmentOptions adds the options of every command with upstreams or engines. */
export function environmentOptions(command: Command): void {
  command
    .option('--lab', 'work against the running lab (runner-image lab up) instead of the real upstreams')
    .option('--pins <file>', 'other pins than images/pins.yaml');
  mirrorsOption(command);
  command
    .option('--extra-ca <file>', 'PEM bundle for build steps behind a TLS-intercepting proxy; never in the image')
    .option('--endpoint <where>', 'Engine API: unix://…|tcp://…|ssh://…, or PLATFORM=… for one platform', collect);
  registryOptions(command);
}

/** mirrorsOption adds `--mirrors`. */
export function mirrorsOption(command: Command): void {
  command.option('--mirrors <file>', 'YAML with images: and urls:, prefix to prefix; digests stay what they are');
}

/** readMirrors reads the file of `--mirrors`; none without it. Throws `cli/mirrors`. */
export function readMirrors(call: Call): Mirrors {
  const file = pathOption(call, 'mirrors');
  if (file === undefined) return { images: {}, urls: {} };
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AppError('cli/mirrors', 'usage', 'cannot read the mirrors', { where: { file }, cause });
  }
  const { images = {}, urls = {}, ...rest } = (value ?? {}) as Record<string, unknown>;
  const isMap = (map: unknown): map is Record<string, string> =>
    typeof map === 'object' && map !== null && Object.values(map).every((target) => typeof target === 'string');
  if (isMap(images) && isMap(urls) && Object.keys(rest).length === 0) return { images, urls };
  throw new AppError('cli/mirrors', 'usage', 'malformed mirrors', {
    expected: 'images: and urls:, each a map from prefix to prefix',
    where: { file },
  });
}

function proxyArgs({ host }: Call): Record<string, string> {
  return Object.fromEntries(proxies.flatMap((name) => (host.env[name] === undefined ? [] : [[name, host.env[name]]])));
}

async function labEnvironment(call: Call): Promise<Omit<Environment, 'registry'>> {
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

/** readEnvironment reads environmentOptions; `--lab` sets the lab's, and single options still win over them. */
export async function readEnvironment(call: Call): Promise<Environment> {
  const base: Omit<Environment, 'registry'> = flag(call, 'lab')
    ? await labEnvironment(call)
    : { mirrors: { images: {}, urls: {} }, extraHosts: [], machineArgs: proxyArgs(call), endpoints: [], waivers: [] };
  const extraCa = stringOption(call, 'extraCa');
  const endpoints = listOption(call, 'endpoint');
  const plain = endpoints.find((endpoint) => !/^linux\//.test(endpoint));
  const mirrors = stringOption(call, 'mirrors') === undefined ? base.mirrors : readMirrors(call);
  return {
    ...base,
    pinsFile: stringOption(call, 'pins') ?? base.pinsFile,
    mirrors,
    registry: registryOf(call, mirrors),
    extraCa: extraCa === undefined ? base.extraCa : await call.host.files.read(extraCa),
    endpoints: endpoints.length === 0 ? base.endpoints : endpoints,
    dockerHost: plain ?? base.dockerHost,
    runnerSource: pathOption(call, 'runnerSource'),
  };
}
