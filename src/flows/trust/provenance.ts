import { labelNames, type Digest, type Plan, type Platform } from '../../core/index.ts';
import { AppError, throwAll } from '../../errors/index.ts';
import { makeProvenance, type BuildSite, type BuiltBy, type Provenance } from '../../sigstore/index.ts';

/** Observed is what the images in the registry say of themselves. */
export interface Observed {
  /** The same on every image of the tree. */
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly { readonly digest: Digest; readonly platform?: Platform | undefined }[];
}

export interface ProvenanceSource {
  readonly plan: Plan;
  readonly site: BuildSite;
  readonly toolVersion: string;
  /** Who built each platform, where it was recorded. */
  readonly builds: readonly BuiltBy[];
}

/**
 * asBuilt is the plan with the facts of the build that made the image. The same inputs give the same plan at a later
 * commit, whose name and date are not those of the image: the image's own labels tell them.
 */
function asBuilt(plan: Plan, labels: Observed['labels']): Plan {
  const said = {
    GIT_COMMIT: labels[labelNames.revision],
    CREATED: labels[labelNames.created],
    VERSION: labels[labelNames.version],
  };
  const known = Object.entries(said).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const created = Date.parse(said.CREATED ?? '');
  return {
    ...plan,
    buildArgs: { ...plan.buildArgs, ...Object.fromEntries(known) },
    sourceDateEpoch: Number.isNaN(created) ? plan.sourceDateEpoch : created / 1000,
  };
}

/** A CI job vouches for the commit that its certificate names, and for no other one's image. */
function commitProblem({ source }: BuildSite, labels: Observed['labels']): AppError[] {
  const revision = labels[labelNames.revision];
  if (source === undefined || revision === undefined || revision === source.commit) return [];
  return [
    new AppError('trust/other-commit', 'usage', 'the image was built from another commit than this job’s', {
      expected: source.commit,
      found: revision,
      hint: 'attest it in a run of the commit that built it',
    }),
  ];
}

/** A record about another image says nothing of this one; left out unseen, a swapped record would pass for none. */
function buildProblems(builds: readonly BuiltBy[], { images }: Observed): AppError[] {
  return builds.flatMap(({ platform, manifest }) => {
    const image = images.find(({ digest }) => digest === manifest);
    if (image !== undefined && (image.platform ?? platform) === platform) return [];
    return new AppError('trust/other-build', 'usage', 'the record of the build is about another image', {
      expected: images.map((one) => `${one.platform ?? 'image'} ${one.digest}`).join(', '),
      found: `${platform} ${manifest}`,
    });
  });
}

/**
 * provenanceOf says how the images in the registry came about: what the plan says went in, and what images and
 * records say of the build. Throws `trust/other-commit`, `trust/other-build`, `sigstore/provenance`.
 */
export function provenanceOf({ plan, ...facts }: ProvenanceSource, observed: Observed): Provenance {
  throwAll([...commitProblem(facts.site, observed.labels), ...buildProblems(facts.builds, observed)]);
  return makeProvenance({ plan: asBuilt(plan, observed.labels), ...facts });
}
