import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { Mirrors } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { collect, flag, listOption, stringOption, type Call } from './command.ts';

/** Surroundings is where this machine gets bytes from and builds with: never what is expected of them. */
export interface Surroundings {
  readonly pinsFile?: string;
  readonly mirrors: Mirrors;
  readonly extraCa?: Uint8Array;
  readonly networkMode?: 'host';
  readonly extraHosts: readonly string[];
  /** Proxy variables and the like, for RUN steps. */
  readonly machineArgs: Readonly<Record<string, string>>;
  /** `--endpoint` values, as given. */
  readonly endpoints: readonly string[];
  /** The engine that containers are started on. */
  readonly dockerHost?: string;
  /** Waiver files for what the lab's stand-ins cannot be. */
  readonly waivers: readonly string[];
  /** The lab's registry, when it is the lab. */
  readonly labRegistry?: string;
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
}

function readMirrors(file: string): Mirrors {
  const path = isAbsolute(file) ? file : join(process.cwd(), file);
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
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

function proxyArgs(call: Call): Record<string, string> {
  return Object.fromEntries(
    proxies.flatMap((name) => (call.host.env[name] === undefined ? [] : [[name, call.host.env[name]]])),
  );
}

async function labSurroundings(call: Call): Promise<Surroundings> {
  const { requireLab } = await import('../test/lab/state.ts');
  const { projectRoot } = await import('../test/lab/paths.ts');
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
    waivers: [join(projectRoot, 'test/lab/waivers.yaml')],
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
    ...(pinsFile === undefined ? {} : { pinsFile }),
    ...(mirrors === undefined ? {} : { mirrors: readMirrors(mirrors) }),
    ...(extraCa === undefined ? {} : { extraCa: await call.host.files.read(extraCa) }),
    ...(endpoints.length === 0 ? {} : { endpoints }),
    ...(plain === undefined ? {} : { dockerHost: plain }),
  };
}
