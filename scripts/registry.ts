import type { Command } from 'commander';
import type { Mirrors } from '../src/core/index.ts';
import { createRegistry, type Registry } from '../src/registry/index.ts';
import { collect, listOption, type Call } from './command.ts';

/** registryOptions adds how registries are spoken to. */
export function registryOptions(command: Command): void {
  command.option('--plain-http <host>', 'a registry without TLS, host:port; also RUNNER_IMAGE_PLAIN_HTTP', collect);
}

/** registryOf returns the client of all registries, as the options say; where no option does, as the environment does. */
export function registryOf(call: Call, mirrors?: Mirrors): Registry {
  const plainHttp = listOption(call, 'plainHttp');
  return createRegistry(call.host, { mirrors, plainHttp: plainHttp.length === 0 ? undefined : plainHttp });
}
