import { Writable } from 'node:stream';
import { isDigest, type Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { ExecResult, Host } from '../host/index.ts';
import { buildFailed, diskFull, engineDied, missingEmulation, type Failure } from './build-error.ts';
import { buildahBuildArguments, buildahExportArguments, needsChroot, type Isolation } from './buildah-args.ts';
import { withRegistries } from './buildah-registries.ts';
import { localPlatforms } from './emulation.ts';
import { fittingLimits } from './limits.ts';
import { archiveFiles } from './archive-files.ts';
import { keepCache } from './buildah-cache.ts';
import { withLoginFile } from './login-file.ts';
import { lastError } from './reason.ts';
import { StepLines } from './step-lines.ts';
import { Tracker } from './tracker.ts';
import type { BuildRequest, Credentials, Engine, EngineInfo } from './types.ts';

export interface BuildahOptions {
  /** Forced isolation; without it the runtime is tried first and chroot where it refuses. */
  readonly isolation?: Isolation | undefined;
  /** For private base images; what the machine's own configuration says when absent. */
  readonly credentials?: Credentials | undefined;
}

async function readInfo(host: Host): Promise<EngineInfo> {
  const result = await host.exec('buildah', ['version', '--json'], { timeout: 20_000 });
  const facts =
    result.exitCode === 0
      ? (JSON.parse(result.stdout) as { osArch?: string | undefined; version?: string | undefined })
      : {};
  const [os = '', architecture = ''] = (facts.osArch ?? '').split('/');
  if (os === '')
    throw new AppError('engines/missing', 'machine', 'buildah does not answer', {
      found: result.stderr.trim().slice(-500),
      hint: 'sudo apt-get install buildah (or dnf install buildah)',
    });
  return {
    name: 'buildah',
    product: 'buildah',
    version: facts.version ?? '',
    os,
    architecture,
    store: 'containers-storage',
    platforms: await localPlatforms(host),
  };
}

interface Run {
  readonly result: ExecResult;
  readonly tracker: Tracker;
  readonly id?: Digest | undefined;
}

async function runBuild(host: Host, request: BuildRequest, options: BuildahOptions): Promise<Run> {
  const tracker = new Tracker(request.platform, request.onProgress);
  const steps = new StepLines(tracker);
  let last = '';
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      steps.push(chunk);
      last = (last + chunk.toString('utf8')).slice(-200);
      callback();
    },
  });
  const context = request.context();
  const limits = await fittingLimits(host);
  const failed: { error?: Error | undefined } = {};
  context.once('error', (error) => (failed.error = error));
  const run = async (env: Record<string, string>, loginFile: string | undefined): Promise<ExecResult> =>
    await host.exec('buildah', buildahBuildArguments(request, options.isolation, loginFile, limits), {
      env,
      input: context,
      stdout,
      signal: AbortSignal.any([request.signal, host.signal]),
      onStderrLine: (line) => {
        steps.line(line);
      },
    });
  const { text } = request.dockerfile;
  const result = await withRegistries(host, text, (env) =>
    withLoginFile(host, text, options.credentials, (loginFile) => run(env, loginFile)),
  );
  context.destroy();
  request.signal.throwIfAborted();
  if (failed.error !== undefined) throw failed.error;
  steps.end(result.exitCode === 0 ? undefined : lastError(result.stderr));
  const id = `sha256:${last.trim().split('\n').at(-1) ?? ''}`;
  return { result, tracker, id: isDigest(id) ? id : undefined };
}

function interpret(request: BuildRequest, engine: string, { result, tracker }: Run): AppError {
  // 128+n and 137 in particular: the process was ended from outside, it never said why.
  if (result.stderr.trim() === '' || result.exitCode >= 128)
    return engineDied(engine, new Error(`exit code ${result.exitCode}`));
  const failure: Failure = tracker.failure(lastError(result.stderr));
  return buildFailed(request, engine, failure);
}

/** buildahEngine builds without a daemon. Throws `engines/missing` when buildah is not installed. */
export function buildahEngine(host: Host, options: BuildahOptions = {}): Engine {
  const archives = archiveFiles(host);
  let known: Promise<EngineInfo> | undefined;
  let { isolation } = options;
  const info = (): Promise<EngineInfo> => (known ??= readInfo(host));
  const removeImage = async (tag: string): Promise<void> => {
    // Not the build's signal: what was stopped is what has to be cleaned.
    const { exitCode, stderr } = await host.exec('buildah', ['rmi', tag], { signal: new AbortController().signal });
    if (exitCode !== 0 && !/image not known|not found/i.test(stderr))
      host.progress.warn(`buildah could not remove ${tag}: ${stderr.trim().slice(-200)}`);
  };
  return {
    name: 'buildah',
    info,
    async build(request) {
      request.signal.throwIfAborted();
      const { version, platforms } = await info();
      const engine = `buildah ${version}`;
      if (platforms?.includes(request.platform) === false)
        throw missingEmulation(request.platform, engine, `this machine runs ${platforms.join(', ')}`);
      try {
        let run = await runBuild(host, request, { ...options, isolation });
        if (run.result.exitCode !== 0 && isolation === undefined && needsChroot(run.result.stderr)) {
          host.progress.warn(
            `${engine}: the OCI runtime cannot start containers here; building by buildah --isolation chroot`,
          );
          isolation = 'chroot';
          run = await runBuild(host, request, { ...options, isolation });
        }
        if (run.result.exitCode !== 0) throw interpret(request, engine, run);
        const { platform, tag } = request;
        return {
          engine: 'buildah',
          platform,
          tag,
          archive: 'oci-archive',
          id: run.id,
        };
      } catch (error) {
        await removeImage(request.tag);
        throw error;
      }
    },
    async export(built, signal) {
      const file = await archives.path(built.tag);
      const { exitCode, stderr } = await host.exec('buildah', buildahExportArguments(built.tag, file), {
        // A missing config.json there ends even a push to a file, which needs no credentials.
        env: { DOCKER_CONFIG: undefined },
        signal,
      });
      signal?.throwIfAborted();
      if (exitCode !== 0) {
        if (/no space left/i.test(stderr)) throw diskFull(file, new Error(stderr.trim().slice(-300)));
        throw new AppError('engines/export', 'machine', `buildah could not export ${built.tag}`, {
          found: stderr.trim().slice(-1000),
        });
      }
      return archives.open(built.tag, file);
    },
    async remove(built) {
      await archives.remove(built.tag);
      await keepCache(host, built.tag);
      await removeImage(built.tag);
    },
  };
}
