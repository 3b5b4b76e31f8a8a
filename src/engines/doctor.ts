import { platforms as allPlatforms, type Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { attempts, type Attempt } from './attempts.ts';
import { localPlatforms } from './emulation.ts';
import { hardLimits } from './limits.ts';
import type { EngineInfo } from './types.ts';

/** One thing that was looked at; `mend` is the command to type. */
export interface Diagnosis {
  readonly subject: string;
  readonly state: 'ok' | 'lacking';
  readonly found: string;
  readonly mend?: string | undefined;
}

export interface EngineReport {
  readonly diagnoses: readonly Diagnosis[];
  /** Which engines build each platform, the preferred one first. */
  readonly engines: Readonly<Partial<Record<Platform, readonly string[]>>>;
  /** The engine that `build` would take, for all platforms. */
  readonly chosen?: string | undefined;
}

/** What two platforms of the largest image need while they are built and exported. */
const wantedBytes = 10 * 1024 ** 3;

async function engineDiagnosis(attempt: Attempt): Promise<{ diagnosis: Diagnosis; info?: EngineInfo | undefined }> {
  const subject = attempt.label;
  try {
    const info = await attempt.engine.info();
    const can = info.platforms === undefined ? 'platforms unknown' : info.platforms.join(', ');
    const found = `${info.product} ${info.version}, ${info.store} store, ${can}`;
    return { diagnosis: { subject, state: 'ok', found }, info };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const mend = error.code === 'host/command-missing' ? packageHints[attempt.engine.name] : error.facts.hint;
    return { diagnosis: { subject, state: 'lacking', found: error.message, mend } };
  }
}

const packageHints: Readonly<Record<string, string>> = {
  buildx: 'sudo apt-get install docker.io docker-buildx',
  buildah: 'sudo apt-get install buildah',
};

async function disk(host: Host, path: string): Promise<Diagnosis[]> {
  const result = await host.exec('df', ['-P', '-k', '--', path], { timeout: 10_000 });
  const columns = result.stdout.trim().split('\n').at(-1)?.split(/\s+/) ?? [];
  const free = Number(columns[3]) * 1024;
  if (result.exitCode !== 0 || !Number.isFinite(free)) return [];
  const found = `${(free / 1024 ** 3).toFixed(1)} GB free on ${columns[5] ?? path}`;
  const subject = `disk of ${path}`;
  if (free >= wantedBytes) return [{ subject, state: 'ok', found }];
  return [{ subject, state: 'lacking', found, mend: 'docker system prune (or buildah prune), or move the project' }];
}

function emulation(local: readonly Platform[], wanted: readonly Platform[]): Diagnosis[] {
  return wanted.map((platform) =>
    local.includes(platform)
      ? { subject: `running ${platform} here`, state: 'ok', found: 'the kernel runs it' }
      : {
          subject: `running ${platform} here`,
          state: 'lacking',
          found: 'no emulation is registered (binfmt_misc)',
          mend: `sudo apt-get install qemu-user-static binfmt-support, or --endpoint ${platform}=ssh://HOST`,
        },
  );
}

/** Nothing to fix: the builds ask for what fits. It explains what `ulimit` says inside a step. */
async function limits(host: Host): Promise<Diagnosis[]> {
  const hard = [...(await hardLimits(host))].map(([name, value]) => `${name} ${value}`);
  if (hard.length === 0) return [];
  const found = `${hard.join(', ')}; Buildah and Podman would ask for more, and are asked to stay within`;
  return [{ subject: 'hard limits', state: 'ok', found }];
}

/**
 * examineEngines asks every engine that could be here, and the machine itself, and changes
 * nothing. `root` is where dist/ will be written.
 */
export async function examineEngines(
  host: Host,
  root: string,
  wanted: readonly Platform[] = allPlatforms,
): Promise<EngineReport> {
  const tried = await attempts(host, undefined, {});
  const [asked, local, space, within] = await Promise.all([
    Promise.all(tried.map(engineDiagnosis)),
    localPlatforms(host),
    disk(host, root),
    limits(host),
  ]);
  const builds = (platform: Platform): string[] =>
    asked.flatMap(({ diagnosis, info }) =>
      info !== undefined && (info.platforms?.includes(platform) ?? true) ? [diagnosis.subject] : [],
    );
  const engines = Object.fromEntries(wanted.map((platform) => [platform, builds(platform)]));
  const chosen = tried.find(({ label }) => wanted.every((platform) => engines[platform]?.includes(label)))?.label;
  const sockets = tried.some(({ engine }) => engine.name === 'docker');
  return {
    diagnoses: [
      ...(sockets ? [] : [noSocket]),
      ...asked.map(({ diagnosis }) => diagnosis),
      ...emulation(local, wanted),
      ...within,
      ...space,
    ],
    engines,
    chosen,
  };
}

const noSocket: Diagnosis = {
  subject: 'docker',
  state: 'lacking',
  found: 'no engine socket and no DOCKER_HOST',
  mend: 'sudo apt-get install docker.io && sudo systemctl start docker',
};
