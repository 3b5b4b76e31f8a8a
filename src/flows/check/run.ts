import { randomBytes } from 'node:crypto';
import type { Picture, Platform, Profile } from '../../core/index.ts';
import { localPlatforms, loadImage } from '../../engines/index.ts';
import { formatEndpoint } from '../../engines/index.ts';
import type { Host } from '../../host/index.ts';
import { AppError } from '../../errors/index.ts';
import { loadableArchive, type ImageSource } from '../../oci/index.ts';
import { connectDocker, dockerEngine, probe, probeHealth, type ProbeReport } from '../../probe/index.ts';
import { engineEndpoint } from './source.ts';

export type ProbeDepth = 'health' | 'suite';

export interface RunOptions {
  readonly profile: Profile;
  readonly derivedFrom?: 'standard' | 'openshell';
  readonly depth: ProbeDepth;
  readonly dockerHost?: string;
}

/**
 * probeSource starts every platform's image, one after the other, from the very bytes that the source
 * holds. A platform that this machine cannot run is an error (exit 4), never a check that passed.
 */
export async function probeSource(
  host: Host,
  source: ImageSource,
  pictures: readonly Picture[],
  options: RunOptions,
): Promise<ProbeReport[]> {
  const endpoint = await engineEndpoint(host, options.dockerHost);
  const runnable = await localPlatforms(host);
  const missing = pictures.map(({ platform }) => platform).filter((platform) => !runnable.includes(platform));
  if (missing.length > 0) {
    throw new AppError('check/no-emulation', 'machine', `this machine cannot run ${missing.join(', ')}`, {
      hint: 'sudo apt-get install qemu-user-static, or leave the platform out: --platform',
    });
  }
  const engine = dockerEngine(await connectDocker(formatEndpoint(endpoint)), host);
  const reports: ProbeReport[] = [];
  for (const picture of pictures) {
    const name = `openshell-runner-probe/${picture.platform.replace('/', '-')}:${randomBytes(6).toString('hex')}`;
    const task = host.story.task(`starting ${picture.platform}`);
    try {
      task.step('loading it into the engine');
      const loaded = await loadImage(host, endpoint, archiveOf(source, picture, name), name);
      try {
        task.step('waiting for /health');
        const report = await (options.depth === 'health' ? probeHealth : probe)(host, engine, {
          image: name,
          platform: picture.platform,
          profile: options.profile,
          ...(options.derivedFrom === undefined ? {} : { derivedFrom: options.derivedFrom }),
        });
        reports.push(report);
        finish(task, picture.platform, report);
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

function finish(task: ReturnType<Host['story']['task']>, _platform: Platform, report: ProbeReport): void {
  const passed = report.checks.filter(({ state }) => state === 'passed').length;
  const healthy =
    report.startup === undefined ? 'never healthy' : `healthy after ${(report.startup / 1000).toFixed(1)} s`;
  const text = `${healthy}, ${passed} of ${report.checks.length} checks passed`;
  if (passed === report.checks.length) task.done(text);
  else task.fail(text);
}

function archiveOf(source: ImageSource, picture: Picture, name: string) {
  const { manifest, manifestDigest, config } = picture;
  const descriptor = {
    mediaType: manifest.mediaType ?? 'application/vnd.oci.image.manifest.v1+json',
    digest: manifestDigest,
    size: 0,
    platform: { os: config.os, architecture: config.architecture },
  };
  return loadableArchive(
    {
      descriptor,
      manifest,
      readManifest: async () => Buffer.from(JSON.stringify(manifest)),
      open: (blob) => source.open(blob),
    },
    name,
  );
}
