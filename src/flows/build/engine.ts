import { parseImageRef, type Plan } from '../../core/index.ts';
import {
  buildxEngine,
  detectEngine,
  dockerEngine,
  imageReferences,
  parseEndpoint,
  parseEndpointOptions,
  perPlatform,
  type Endpoint,
  type Engine,
} from '../../engines/index.ts';
import type { Host } from '../../host/index.ts';
import { createLogins } from '../../registry/index.ts';

export interface EngineChoice {
  /** `--engine`. */
  readonly name?: string | undefined;
  /** `--endpoint`: one for everything, `PLATFORM=…` for single platforms. */
  readonly endpoints: readonly string[];
  readonly builder?: string | undefined;
}

/** chooseEngine returns the engine that the options name; without one it is detected. */
export async function chooseEngine(host: Host, plan: Plan, choice: EngineChoice): Promise<Engine> {
  const single = choice.endpoints.filter((text) => /^linux\//.test(text));
  const [general] = choice.endpoints.filter((text) => !/^linux\//.test(text));
  const repositories = imageReferences(plan.dockerfile.text).map((text) => parseImageRef(text));
  const credentials = createLogins(host, repositories);
  const options = {
    credentials,
    platforms: plan.platforms,
    engine: choice.name,
    builder: choice.builder,
  };
  // Buildah needs no daemon, and a builder that was named knows its own machines: neither is sent to one.
  const buildx = choice.name === 'buildx' && choice.builder === undefined;
  if (general === undefined || (choice.name !== undefined && choice.name !== 'docker' && !buildx))
    return await detectEngine(host, { ...options, endpoints: parseEndpointOptions(single) });
  const at = (endpoint: Endpoint): Engine =>
    buildx ? buildxEngine(host, { endpoint }) : dockerEngine(host, { endpoint, credentials });
  const everything = at(parseEndpoint(general));
  const named = parseEndpointOptions(single);
  if (named.size === 0) return everything;
  return perPlatform(new Map([...named].map(([platform, endpoint]) => [platform, at(endpoint)])), everything);
}
