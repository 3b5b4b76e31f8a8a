import { architectureOf, isPlatform, type Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { ExecResult, Host } from '../host/index.ts';
import { archiveFiles } from './archive-files.ts';
import { buildFailed, engineDied, missingEmulation } from './build-error.ts';
import { buildxArguments } from './buildx-args.ts';
import { BuildxProgress } from './buildx-progress.ts';
import { formatEndpoint, type Endpoint } from './endpoint.ts';
import { Tracker } from './tracker.ts';
import type { BuildRequest, Engine, EngineInfo } from './types.ts';

export interface BuildxOptions {
  /** `docker buildx ls` names them; the current one when absent. */
  readonly builder?: string | undefined;
  /** The Docker endpoint whose default builder is meant. */
  readonly endpoint?: Endpoint | undefined;
}

/** parseBuilder reads `docker buildx inspect`: a node's platforms may be marked preferred with `*`. */
export function parseBuilder(stdout: string): { driver: string; platforms: readonly Platform[] | undefined } {
  const all = [...stdout.matchAll(/^Platforms:[ \t]*(.*)$/gm)].flatMap((match) => (match[1] ?? '').split(','));
  const found = [...new Set(all.map((name) => name.trim().replace(/\*$/, '')).filter(isPlatform))];
  return {
    driver: /^Driver:[ \t]*(\S+)/m.exec(stdout)?.[1] ?? '',
    platforms: found.length === 0 ? undefined : found,
  };
}

const missingPlugin = (found: string): AppError =>
  new AppError('engines/missing', 'machine', 'docker buildx is not installed', {
    found: found.trim().slice(-300),
    hint: 'sudo apt-get install docker-buildx (Debian 13, Ubuntu 24.04) or docker-buildx-plugin (Docker’s own packages)',
  });

async function readInfo(
  run: (args: readonly string[]) => Promise<ExecResult>,
  options: BuildxOptions,
): Promise<EngineInfo> {
  const version = await run(['buildx', 'version']);
  if (version.exitCode !== 0) throw missingPlugin(version.stderr);
  const inspected = await run(['buildx', 'inspect', ...(options.builder === undefined ? [] : [options.builder])]);
  const builder = parseBuilder(inspected.stdout);
  if (inspected.exitCode !== 0 || builder.driver === '' || /^Error:/m.test(inspected.stdout))
    throw new AppError(
      'engines/unreachable',
      'machine',
      `the buildx builder ${options.builder ?? ''} does not answer`,
      {
        found: (/^Error:.*$/m.exec(inspected.stdout)?.[0] ?? inspected.stderr).trim().slice(-500),
        hint: 'docker buildx ls names the builders; docker buildx create --use --name runner makes one',
      },
    );
  return {
    name: 'buildx',
    product: `buildx (${builder.driver})`,
    version: /\d+\.\d[\w.+-]*/.exec(version.stdout)?.[0] ?? '',
    os: 'linux',
    // A builder names its own platform first.
    architecture: architectureOf(builder.platforms?.[0] ?? 'linux/amd64'),
    store: 'none',
    platforms: builder.platforms,
    endpoint: options.endpoint && formatEndpoint(options.endpoint),
  };
}

function interpret(
  request: BuildRequest,
  engine: string,
  result: ExecResult,
  progress: BuildxProgress,
  tracker: Tracker,
): AppError {
  const message = progress.final;
  if (/OCI exporter is not supported|docker exporter.*not (?:currently )?supported/i.test(message + result.stderr))
    return new AppError('engines/buildx-driver', 'machine', 'this builder cannot write an OCI archive', {
      expected: 'a builder with the docker-container, kubernetes or remote driver, or Docker with the containerd store',
      found: message,
      hint: 'docker buildx create --use --name runner, --endpoint of a Docker with the containerd store, or --engine docker',
    });
  if (
    message === '' ||
    /error reading from server: EOF|connection (?:reset|error)|transport is closing|graceful_stop/i.test(message)
  )
    return engineDied(engine, new Error(message === '' ? `exit code ${result.exitCode}` : message));
  return buildFailed(request, engine, tracker.failure(message));
}

/** buildxEngine drives `docker buildx`, whose builders may be anywhere. */
export function buildxEngine(host: Host, options: BuildxOptions = {}): Engine {
  const archives = archiveFiles(host);
  const env = options.endpoint && { DOCKER_HOST: formatEndpoint(options.endpoint) };
  const files = new Map<string, string>();
  let known: Promise<EngineInfo> | undefined;
  const info = (): Promise<EngineInfo> =>
    (known ??= readInfo((args) => host.exec('docker', args, { timeout: 30_000, env }), options));
  const remove = async (tag: string): Promise<void> => {
    files.delete(tag);
    await archives.remove(tag);
  };
  return {
    name: 'buildx',
    info,
    async build(request) {
      request.signal.throwIfAborted();
      const { product, platforms } = await info();
      if (platforms?.includes(request.platform) === false)
        throw missingEmulation(request.platform, product, `it runs ${platforms.join(', ')}`);
      const tracker = new Tracker(request.platform, request.onProgress);
      const progress = new BuildxProgress(tracker);
      const file = await archives.path(request.tag);
      const context = request.context();
      const failed: { error?: Error | undefined } = {};
      context.once('error', (error) => (failed.error = error));
      try {
        const result = await host.exec('docker', buildxArguments(request, file, options.builder), {
          input: context,
          env,
          signal: AbortSignal.any([request.signal, host.signal]),
          onStderrLine: (line) => {
            progress.line(line);
          },
        });
        request.signal.throwIfAborted();
        if (failed.error !== undefined) throw failed.error;
        if (result.exitCode !== 0) throw interpret(request, product, result, progress, tracker);
      } catch (error) {
        await remove(request.tag);
        throw error;
      } finally {
        context.destroy();
      }
      files.set(request.tag, file);
      return { engine: 'buildx', platform: request.platform, tag: request.tag, archive: 'oci-archive' };
    },
    async export(built) {
      const file = files.get(built.tag);
      if (file === undefined) throw new AppError('engines/export', 'machine', `${built.tag} was removed already`);
      return host.files.openRead(file);
    },
    remove: (built) => remove(built.tag),
  };
}
