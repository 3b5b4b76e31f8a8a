import { digestOf, hexOf, type Plan } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import type { BuildSite } from './build-site.ts';
import { resolvedDependencies } from './dependencies.ts';
import { provenanceSchema, type Provenance } from './provenance-schema.ts';

/** The build type that docs/build-type.md describes. */
export const buildType = 'https://ambient-code.io/openshell-runner-images/build-type/v1';

export interface BuiltBy {
  /** As the engine names itself: `Docker Engine`, `buildx`, `buildah`. */
  readonly product: string;
  readonly version: string;
}

export interface ProvenanceFacts {
  readonly plan: Plan;
  readonly site: BuildSite;
  /** Version of this tool. */
  readonly toolVersion: string;
  /** Absent when nobody recorded which engine built it. */
  readonly engine?: BuiltBy;
}

/**
 * makeProvenance says how an image came about, as SLSA v1. The same plan, site and engine give the
 * same bytes: there are no times in it but the plan's own. Throws `sigstore/provenance`.
 */
export function makeProvenance({ plan, site, toolVersion, engine }: ProvenanceFacts): Provenance {
  const source = site.source;
  return checkProvenance({
    buildDefinition: {
      buildType,
      externalParameters: {
        variant: plan.variant,
        image: plan.image,
        profile: plan.profile,
        platforms: [...plan.platforms],
        repository: plan.repository,
        inputDigest: plan.inputDigest,
        ...(plan.lab ? { lab: true } : {}),
        ...(site.workflow === undefined ? {} : { workflow: { ...site.workflow } }),
      },
      internalParameters: {
        sourceDateEpoch: plan.sourceDateEpoch,
        dockerfile: { path: plan.dockerfile.path, digest: digestOf(plan.dockerfile.text) },
        buildArgs: { ...plan.buildArgs },
        omitted: plan.omitted.map((item) => ({ ...item })),
        ...(engine === undefined ? {} : { engine: { product: engine.product, version: engine.version } }),
        ...(site.parameters === undefined ? {} : { github: { ...site.parameters } }),
      },
      resolvedDependencies: [
        ...(source === undefined ? [] : [{ uri: source.uri, digest: { gitCommit: source.commit } }]),
        { name: plan.dockerfile.path, digest: { sha256: hexOf(digestOf(plan.dockerfile.text)) } },
        ...resolvedDependencies(plan),
      ],
    },
    runDetails: {
      builder: { id: site.builder, version: { 'openshell-runner-images': toolVersion } },
      ...(site.invocation === undefined ? {} : { metadata: { invocationId: site.invocation } }),
    },
  });
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
