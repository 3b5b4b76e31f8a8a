import { describe, expect, test } from 'vitest';
import { digestOf, labelNames, type Digest } from '../../src/core/index.ts';
import { provenanceOf, type Observed } from '../../src/flows/trust/index.ts';
import { buildSite, type BuiltBy } from '../../src/sigstore/index.ts';
import { codes } from '../support/codes.ts';
import { testPlan } from '../support/sigstore/plan.ts';

const [amd64, arm64] = ['amd64', 'arm64'].map((name) => digestOf(name)) as [Digest, Digest];
const images: Observed['images'] = [
  { digest: amd64, platform: 'linux/amd64' },
  { digest: arm64, platform: 'linux/arm64' },
];
const commit = '7'.repeat(40);
const labels = { [labelNames.revision]: commit, [labelNames.created]: '2026-01-02T03:04:05Z' };
const built = (platform: BuiltBy['platform'], manifest: Digest, version = '28.3'): BuiltBy => ({
  platform,
  manifest,
  engine: { product: 'Docker Engine', version },
});
const github = (sha: string) =>
  buildSite({ GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/main' });

function made(builds: readonly BuiltBy[], observed: Observed = { labels, images }, site = buildSite({})) {
  const { buildDefinition } = provenanceOf({ plan: testPlan, site, toolVersion: '0.1.0', builds }, observed);
  return { ...buildDefinition.internalParameters, dependencies: buildDefinition.resolvedDependencies ?? [] };
}
describe('provenance of images in a registry', () => {
  test('names the engine of each platform, and none for a platform that nobody recorded', () => {
    const both = [built('linux/amd64', amd64), built('linux/arm64', arm64, '27.1')];
    expect(made(both)).toMatchObject({ builds: both });
    expect(made(both.slice(1))).toMatchObject({ builds: both.slice(1) });
    expect(made([])).not.toHaveProperty('builds');
  });

  test('tells commit and date of the build from the image, not from the commit that is checked out now', () => {
    const { buildArgs, sourceDateEpoch, dependencies } = made([]) as ReturnType<typeof made> & Record<string, unknown>;
    expect(buildArgs).toEqual({ ...testPlan.buildArgs, GIT_COMMIT: commit, CREATED: '2026-01-02T03:04:05Z' });
    expect(sourceDateEpoch).toBe(Date.parse('2026-01-02T03:04:05Z') / 1000);
    expect(dependencies[0]).toEqual({ name: 'source', digest: { gitCommit: commit } });
    expect(made([], { labels: {}, images })).toMatchObject({
      buildArgs: testPlan.buildArgs,
      sourceDateEpoch: testPlan.sourceDateEpoch,
    });
  });

  test('is refused when a record speaks about another image, by digest or by platform', () => {
    expect(codes(() => made([built('linux/amd64', digestOf('other'))]))).toEqual(['trust/other-build']);
    expect(codes(() => made([built('linux/arm64', amd64), built('linux/amd64', arm64)]))).toEqual([
      'trust/other-build',
      'trust/other-build',
    ]);
  });

  test('a CI job vouches for the images of its own commit only', () => {
    expect(codes(() => made([], undefined, github(commit)))).toEqual([]);
    expect(codes(() => made([], undefined, github('8'.repeat(40))))).toEqual(['trust/other-commit']);
  });
});
