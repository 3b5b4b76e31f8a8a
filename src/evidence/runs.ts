import type { Digest } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { Evidence, Run } from './schema.ts';
import type { Filed } from './store.ts';

/** What a probe reports of one started image. */
interface Probed {
  readonly platform: Run['platform'];
  readonly checks: readonly Run['checks'][number][];
}

/** What a check reports: the images that it read, and those that it started. */
interface Checked {
  readonly errors: number;
  readonly pictures: readonly { readonly platform: string; readonly manifestDigest: Digest }[];
  readonly probes: readonly Probed[];
}

/** runsOf returns the record of every image that a check started. */
export function runsOf({ errors, pictures, probes }: Checked, now: Date): readonly Run[] {
  return probes.flatMap((probe) => {
    const picture = pictures.find(({ platform }) => platform === probe.platform);
    if (picture === undefined) return [];
    const checks = probe.checks.map(({ check, state }) => ({ check, state }));
    return [{ platform: probe.platform, manifest: picture.manifestDigest, at: now.toISOString(), errors, checks }];
  });
}

/** withRuns adds runs of the images that the evidence is about. Throws `evidence/other-image`. */
export function withRuns({ file, evidence }: Filed, runs: readonly Run[]): Evidence {
  const foreign = runs.find(({ platform, manifest }) => !evidence.platforms.some(isOf({ platform, manifest })));
  if (foreign !== undefined)
    throw new AppError('evidence/other-image', 'usage', 'the evidence is about another image than the one started', {
      expected: evidence.platforms.map(({ platform, manifest }) => `${platform} ${manifest}`).join(', '),
      found: `${foreign.platform} ${foreign.manifest}`,
      where: { file },
    });
  const kept = evidence.runs.filter(({ platform }) => !runs.some((run) => run.platform === platform));
  return { ...evidence, runs: [...kept, ...runs] };
}

type Image = Evidence['platforms'][number];
const isOf = (one: Image) => (other: Image) => one.platform === other.platform && one.manifest === other.manifest;

/**
 * judgeRuns holds every platform of an index against what was seen of it when it was started: each of exactly these
 * bytes has to have been started, without an error and with a check that passed. Returns each reason against.
 */
export function judgeRuns({ platforms, runs }: Pick<Evidence, 'platforms' | 'runs'>): readonly string[] {
  return platforms.flatMap((image) => {
    const { platform } = image;
    const run = runs.find(isOf(image));
    if (run === undefined) return [`no run of ${platform} is recorded`];
    const failed = run.checks.filter(({ state }) => state === 'failed').map(({ check }) => check);
    if (run.errors > 0 || failed.length > 0)
      return [`${platform} failed its checks: ${run.errors} errors; failed: ${failed.join(', ') || 'none'}`];
    if (run.checks.some(({ state }) => state === 'passed')) return [];
    return [`no check saw ${platform} pass: ${run.checks.length} saw nothing`];
  });
}
