import { platforms as allPlatforms, type Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { attempts, parseEngineName, type DetectOptions } from './attempts.ts';
import { missingEmulation } from './build-error.ts';
import { buildxEngine } from './buildx.ts';
import { dockerEngine } from './docker.ts';
import { dryRunEngine } from './dry-run.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { perPlatform } from './per-platform.ts';
import type { Engine, EngineName } from './types.ts';

const noEngine = (name: EngineName | undefined, reasons: readonly string[], causes: readonly unknown[]): AppError =>
  new AppError(
    'engines/none',
    'machine',
    name === undefined ? 'no build engine answers on this machine' : `the engine ${name} does not answer`,
    {
      expected: 'Docker 20.10 or later, Podman’s socket, docker buildx, or buildah',
      found: reasons.length === 0 ? 'no engine socket' : reasons.join('; '),
      hint:
        name === 'docker' || name === 'buildx'
          ? 'sudo apt-get install docker.io && sudo systemctl start docker; for details: runner-image doctor'
          : 'sudo apt-get install buildah; for details: runner-image doctor',
      cause: causes[0],
    },
  );

/** The wanted platforms that an engine says it cannot run; an engine that does not say may try. */
async function lacking(engine: Engine, wanted: readonly Platform[]): Promise<readonly Platform[]> {
  const { platforms } = await engine.info();
  return platforms === undefined ? [] : wanted.filter((platform) => !platforms.includes(platform));
}

async function choose(
  host: Host,
  name: EngineName | undefined,
  options: DetectOptions,
  wanted: readonly Platform[],
): Promise<Engine> {
  const failures: { label: string; error: AppError }[] = [];
  for (const { label, engine, chosen } of await attempts(host, name, options)) {
    try {
      const [missing] = await lacking(engine, wanted);
      if (missing === undefined) return engine;
      throw missingEmulation(missing, label);
    } catch (error) {
      if (!(error instanceof AppError) || chosen) throw error;
      failures.push({ label, error });
    }
  }
  // An engine that is there and lacks one thing is a better answer than "none".
  const nearly = failures.find(
    ({ error }) => error.code === 'engines/no-emulation' || error.code === 'engines/socket-permission',
  );
  if (nearly !== undefined) throw nearly.error;
  throw noEngine(
    name,
    failures.map(({ label, error }) => `${label}: ${error.message}`),
    failures.map(({ error }) => error),
  );
}

/**
 * detectEngine returns the engine that will build: Docker's or Podman's socket, else buildx, else
 * buildah; `engine` forces one, `endpoints` assigns single platforms to other machines. Throws
 * `engines/none`, `engines/no-emulation`, `engines/socket-permission` (exit 4) before anything is built.
 */
export async function detectEngine(host: Host, options: DetectOptions = {}): Promise<Engine> {
  const name = options.engine === undefined ? undefined : parseEngineName(options.engine);
  if (name === 'dry-run') return dryRunEngine(host);
  const endpoints = options.endpoints ?? new Map<Platform, Endpoint>();
  if (endpoints.size > 0 && name === 'buildah')
    throw new AppError('engines/endpoint', 'usage', 'buildah has no endpoints', {
      hint: 'use --engine docker or --engine buildx',
    });
  const wanted = options.platforms ?? allPlatforms;
  const named = new Map<Platform, Engine>();
  for (const [platform, endpoint] of endpoints) {
    const { credentials } = options;
    const engine = name === 'buildx' ? buildxEngine(host, { endpoint }) : dockerEngine(host, { endpoint, credentials });
    if (wanted.includes(platform) && (await lacking(engine, [platform])).length > 0)
      throw missingEmulation(platform, formatEndpoint(endpoint));
    named.set(platform, engine);
  }
  const rest = wanted.filter((platform) => !named.has(platform));
  if (rest.length === 0 && named.size > 0) return perPlatform(named);
  const engine = await choose(host, name, options, rest);
  return named.size === 0 ? engine : perPlatform(named, engine);
}
