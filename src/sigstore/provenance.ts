import { digestOf, hexOf, type Digest, type Plan, type Platform } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { BuildSite } from './build-site.ts';
import { resolvedDependencies } from './dependencies.ts';
import { provenanceSchema, type Provenance, type ResourceDescriptor } from './provenance-schema.ts';

/** The build type that docs/build-type.md describes. */
export const buildType = 'https://ambient-code.io/openshell-runner-images/build-type/v1';

/** BuiltBy is who built one platform's image: each may have been built by another engine, on another machine. */
export interface BuiltBy {
  readonly platform: Platform;
  readonly manifest: Digest;
  readonly engine: {
    /** As the engine names itself: `Docker Engine`, `buildx`, `buildah`. */
    readonly product: string;
    readonly version: string;
  };
}

export interface ProvenanceFacts {
  readonly plan: Plan;
  readonly site: BuildSite;
  /** Version of this tool. */
  readonly toolVersion: string;
  /** Without the platforms whose build is not recorded. */
  readonly builds?: readonly BuiltBy[] | undefined;
}

/**
 * The project itself. In a CI with its address; elsewhere only the commit is known, not where it can be fetched, and
 * of a changed work tree not even that.
 */
function ownSource({ source }: BuildSite, plan: Plan): ResourceDescriptor[] {
  if (source !== undefined) return [{ uri: source.uri, digest: { gitCommit: source.commit } }];
  const commit = plan.buildArgs['GIT_COMMIT'] ?? '';
  return /^[0-9a-f]{40}$/.test(commit) ? [{ name: 'source', digest: { gitCommit: commit } }] : [];
}

/**
 * makeProvenance says how an image came about, as SLSA v1. The same plan, site and builds give the
 * same bytes: there are no times in it but the plan's own. Throws `sigstore/provenance`.
 */
export function makeProvenance({ plan, site, toolVersion, builds = [] }: ProvenanceFacts): Provenance {
  const provenance = {
    buildDefinition: {
      buildType,
      externalParameters: {
        variant: plan.variant,
        image: plan.image,
        profile: plan.profile,
        platforms: [...plan.platforms],
        repository: plan.repository,
        inputDigest: plan.inputDigest,
        lab: plan.lab ? true : undefined,
        workflow: site.workflow,
      },
      internalParameters: {
        sourceDateEpoch: plan.sourceDateEpoch,
        dockerfile: { path: plan.dockerfile.path, digest: digestOf(plan.dockerfile.text) },
        buildArgs: { ...plan.buildArgs },
        runnerSource: plan.runnerSource,
        omitted: plan.omitted.map((item) => ({ ...item })),
        builds: builds.length === 0 ? undefined : builds,
        github: site.parameters,
      },
      resolvedDependencies: [
        ...ownSource(site, plan),
        { name: plan.dockerfile.path, digest: { sha256: hexOf(digestOf(plan.dockerfile.text)) } },
        ...resolvedDependencies(plan),
      ],
    },
    runDetails: {
      builder: { id: site.builder, version: { 'openshell-runner-images': toolVersion } },
      metadata: site.invocation === undefined ? undefined : { invocationId: site.invocation },
    },
  };
  // As it is written: a fact that is not known is no member.
  return checkProvenance(JSON.parse(JSON.stringify(provenance)));
}

/** checkProvenance holds a predicate against the SLSA schema. Throws `sigstore/provenance`. */
export function checkProvenance(value: unknown): Provenance {
  const result = provenanceSchema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('sigstore/provenance', 'usage', 'the provenance does not follow SLSA v1', {
    expected: 'https://slsa.dev/spec/v1.0/provenance',
    found: result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  });
}
