import type { Plan } from '../../core/index.ts';
import {
  detectEngine,
  dockerEngine,
  parseEndpoint,
  parseEndpointOptions,
  perPlatform,
  type Engine,
} from '../../engines/index.ts';
import type { Host } from '../../host/index.ts';

export interface EngineChoice {
  /** `--engine`. */
  readonly name?: string;
  /** `--endpoint`: one for everything, `PLATFORM=…` for single platforms. */
  readonly endpoints: readonly string[];
  readonly builder?: string;
}

/** chooseEngine turns the user's wishes into one engine; without wishes it is detected. */
export async function chooseEngine(host: Host, plan: Plan, choice: EngineChoice): Promise<Engine> {
  const single = choice.endpoints.filter((text) => /^linux\//.test(text));
  const [general] = choice.endpoints.filter((text) => !/^linux\//.test(text));
  const options = {
    platforms: plan.platforms,
    ...(choice.name === undefined ? {} : { engine: choice.name }),
    ...(choice.builder === undefined ? {} : { builder: choice.builder }),
  };
  // An engine that needs no Docker daemon is not to be sent to one.
  if (general === undefined || (choice.name !== undefined && choice.name !== 'docker'))
    return await detectEngine(host, { ...options, endpoints: parseEndpointOptions(single) });
  const everything = dockerEngine(host, { endpoint: parseEndpoint(general) });
  const named = parseEndpointOptions(single);
  if (named.size === 0) return everything;
  const engines = new Map([...named].map(([platform, endpoint]) => [platform, dockerEngine(host, { endpoint })]));
  return perPlatform(engines, everything);
}
