import semver from 'semver';
import { parseImageRef, type Digest, type Plan } from '../../core/index.ts';
import { AppError, AppErrors, throwAll } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { BundleVerifier } from '../../sigstore/index.ts';
import { builtInRegistry } from '../build/index.ts';
import { loadDefinitions, planVariant, variantNames } from '../plan.ts';
import { promote, unverified, verifyTree, type Promotion } from '../trust/index.ts';

export interface Release {
  /** `1.2.0`, of the git tag `v1.2.0`. */
  readonly version: string;
  /** The version, then what moves with it. */
  readonly tags: readonly string[];
}

/** releaseOf reads the git tag that started the run. Throws `ci/release-tag`. */
export function releaseOf(env: Host['env']): Release {
  const ref = env['GITHUB_REF'] ?? '';
  const version = /^refs\/tags\/v(.+)$/.exec(ref)?.[1] ?? '';
  const parsed = semver.parse(version);
  if (parsed === null || parsed.version !== version)
    throw new AppError('ci/release-tag', 'usage', 'this run was not started by a release tag', {
      expected: 'refs/tags/v<semantic version>, e.g. refs/tags/v1.2.0',
      found: JSON.stringify(ref.slice(0, 120)),
    });
  return { version, tags: parsed.prerelease.length > 0 ? [version] : [version, 'stable'] };
}

export interface ReleaseOptions {
  readonly root: string;
  readonly registry: Registry;
  readonly verifier: BundleVerifier;
  readonly release: Release;
}

interface Found {
  readonly plan: Plan;
  readonly digest: Digest;
}

/** find gives the image that main published from this commit's inputs, verified on every node. */
async function find(host: Host, { registry, verifier, release }: ReleaseOptions, plan: Plan): Promise<Found> {
  const { registry: at, repository } = parseImageRef(plan.repository);
  const known = await builtInRegistry(host, registry, plan.repository, plan);
  if (known === undefined)
    throw new AppError('ci/not-published', 'findings', `${plan.variant} was not published from this commit's inputs`, {
      expected: `an image of ${plan.inputDigest} in ${plan.repository}`,
      found: 'none whose tags moved',
      hint: 'tag a commit that build.yml has published from main, and wait for the end of that run',
    });
  const taken = await registry.tagDigest({ registry: at, repository, tag: release.version });
  if (taken !== undefined && taken !== known.digest)
    throw new AppError('ci/version-taken', 'findings', `${plan.repository}:${release.version} is another image`, {
      expected: known.digest,
      found: taken,
      hint: 'a version is given once: release under the next one',
    });
  const report = await verifyTree(registry, { registry: at, repository, digest: known.digest }, verifier);
  if (!report.ok) throw unverified(report);
  return { plan, digest: known.digest };
}

/**
 * releaseImages promotes every image of the plan, by digest, to the version and then to `stable`. Every
 * image is found and verified before the first tag moves, and all versions are there before the first
 * `stable` moves; a run that was cut off is continued by the next. Throws every fault at once.
 */
export async function releaseImages(host: Host, options: ReleaseOptions): Promise<readonly Promotion[]> {
  const { root, registry, verifier, release } = options;
  const definitions = await loadDefinitions(host, root);
  const found: Found[] = [];
  const errors: AppError[] = [];
  for (const variant of variantNames(definitions)) {
    try {
      found.push(await find(host, options, await planVariant(host, definitions, { root, variant })));
    } catch (error) {
      if (error instanceof AppErrors) errors.push(...error.errors);
      else if (error instanceof AppError) errors.push(error);
      else throw error;
    }
  }
  throwAll(errors);
  const done: Promotion[] = [];
  for (const tag of release.tags)
    for (const { plan, digest } of found) {
      const { registry: at, repository } = parseImageRef(plan.repository);
      const source = { registry: at, repository, digest };
      done.push(await promote({ registry, verifier, source, destination: { registry: at, repository, tag } }));
    }
  return done;
}
