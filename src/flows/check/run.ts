import { randomBytes } from 'node:crypto';
import {
  isPlatform,
  parsePlatform,
  type ImagePlatform,
  type Picture,
  type Platform,
  type Profile,
} from '../../core/index.ts';
import { connectDocker, formatEndpoint, localPlatforms, type Endpoint } from '../../engines/index.ts';
import type { Host } from '../../host/index.ts';
import { AppError } from '../../errors/index.ts';
import { containerEngine, probe, probeHealth, type ProbeReport } from '../../probe/index.ts';
import { engineEndpoint, type CheckedImage } from './source.ts';

export type ProbeDepth = 'health' | 'suite';

export interface RunOptions {
  readonly profile: Profile;
  readonly derivedFrom?: 'standard' | 'openshell' | undefined;
  readonly depth: ProbeDepth;
  readonly dockerHost?: string | undefined;
}

const isRunnable = (platform: ImagePlatform, runnable: readonly Platform[]): boolean =>
  isPlatform(platform) && runnable.includes(platform);

/**
 * probeImage starts every platform's image, one after the other, from the very bytes that the source
 * holds. A platform that this machine cannot run is an error (exit 4), never a check that passed.
 */
export async function probeImage(
  host: Host,
  image: CheckedImage,
  pictures: readonly Picture[],
  options: RunOptions,
): Promise<ProbeReport[]> {
  const endpoint = await engineEndpoint(host, options.dockerHost);
  const runnable = await localPlatforms(host);
  const missing = pictures.map(({ platform }) => platform).filter((platform) => !isRunnable(platform, runnable));
  if (missing.length > 0) {
    throw new AppError('check/no-emulation', 'machine', `this machine cannot run ${missing.join(', ')}`, {
      hint: 'sudo apt-get install qemu-user-static, or leave the platform out: --platform',
    });
  }
  const engine = containerEngine((await connectDocker(host, requireLocal(endpoint))).api, host);
  const reports: ProbeReport[] = [];
  for (const picture of pictures) {
    const name = `openshell-runner-probe/${picture.platform.replaceAll('/', '-')}:${randomBytes(6).toString('hex')}`;
    const task = host.progress.task(`starting ${picture.platform}`);
    try {
      task.step('loading it into the engine');
      const loaded = await image.load(picture, name, endpoint);
      try {
        task.step('waiting for /health');
        const report = await (options.depth === 'health' ? probeHealth : probe)(host, engine, {
          image: loaded.name,
          platform: parsePlatform(picture.platform),
          profile: options.profile,
          derivedFrom: options.derivedFrom,
        });
        reports.push(report);
        finish(task, report);
      } finally {
        await loaded.remove();
      }
    } catch (error) {
      task.fail();
      throw error;
    }
  }
  return reports;
}

/** The probe speaks HTTP to a port on the engine's loopback, so the engine must be on this machine. Throws `probe/endpoint`. */
function requireLocal(endpoint: Endpoint): Endpoint {
  if (endpoint.$case === 'unix') return endpoint;
  if (endpoint.$case === 'tcp' && ['127.0.0.1', 'localhost', '[::1]'].includes(endpoint.host)) return endpoint;
  throw new AppError('probe/endpoint', 'usage', 'the probe cannot use this engine', {
    expected:
      'unix:///path, or tcp://127.0.0.1:port: containers are reached on the loopback of the machine they run on',
    found: formatEndpoint(endpoint),
  });
}

function finish(task: ReturnType<Host['progress']['task']>, report: ProbeReport): void {
  const passed = report.checks.filter(({ state }) => state === 'passed').length;
  const healthy =
    report.startup === undefined ? 'never healthy' : `healthy after ${(report.startup / 1000).toFixed(1)} s`;
  const text = `${healthy}, ${passed} of ${report.checks.length} checks passed`;
  if (passed === report.checks.length) task.done(text);
  else task.fail(text);
}
