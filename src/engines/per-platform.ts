import type { Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Engine } from './types.ts';

/**
 * perPlatform sends each platform's build to the engine that was named for it, so that every
 * architecture can build natively on its own machine; `rest` takes the others.
 */
export function perPlatform(engines: ReadonlyMap<Platform, Engine>, rest?: Engine): Engine {
  const [first = rest] = engines.values();
  if (first === undefined) throw new TypeError('perPlatform needs an engine');
  const engineFor = (platform: Platform): Engine => {
    const engine = engines.get(platform) ?? rest;
    if (engine !== undefined) return engine;
    throw new AppError('engines/no-endpoint', 'usage', `no engine was named for ${platform}`, {
      expected: `--endpoint ${platform}=unix://…|tcp://…|ssh://…`,
      found: [...engines.keys()].join(', '),
    });
  };
  return {
    name: first.name,
    async info(platform) {
      if (platform !== undefined) return await engineFor(platform).info();
      const [lead, ...others] = await Promise.all(
        [...engines.values(), ...(rest === undefined ? [] : [rest])].map((engine) => engine.info()),
      );
      if (lead === undefined) throw new TypeError('perPlatform needs an engine');
      const { platforms: _platforms, endpoint: _endpoint, ...info } = lead;
      return {
        ...info,
        version: [...new Set([lead, ...others].map(({ version }) => version))].join(', '),
        platforms: rest === undefined ? [...engines.keys()] : undefined,
      };
    },
    build: async (request) => await engineFor(request.platform).build(request),
    export: async (built, signal) => await engineFor(built.platform).export(built, signal),
    remove: async (built) => {
      await engineFor(built.platform).remove(built);
    },
  };
}
