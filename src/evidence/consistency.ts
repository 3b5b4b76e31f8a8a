import type { Digest } from '../core/index.ts';
import { judgeRuns } from './runs.ts';
import type { Evidence } from './schema.ts';

type Image = Evidence['platforms'][number];

const textOf = ({ platform, manifest }: Image): string => `${platform} ${manifest}`;

/** What a gate says of itself: it passed exactly when it counted no error and names none. */
function gateProblems({ passed, errors, broken }: NonNullable<Evidence['gate']>): string[] {
  const clean = errors === 0 && broken.length === 0;
  if (passed && !clean) return [`the gate passed with ${errors} errors: ${broken.join(', ') || 'none named'}`];
  if (!passed && clean) return ['the gate is closed, and names no error'];
  return broken.length > errors ? [`${errors} errors are counted, ${broken.length} are named`] : [];
}

/** Records of images that the evidence is not about. */
function foreignProblems({ platforms, builds, runs, sboms }: Evidence): string[] {
  const known = new Set(platforms.map(textOf));
  const parts = Object.entries({ 'the build': builds, 'the run': runs, 'the SBOM': sboms });
  return parts.flatMap(([what, images]) =>
    (images as readonly Image[])
      .filter((image) => !known.has(textOf(image)))
      .map((image) => `${what} of ${textOf(image)} is about another image`),
  );
}

/**
 * contradictions returns where a record disagrees with itself. A gate that let an image through has seen each of its
 * platforms started, without an error and with a check that passed.
 */
export function contradictions(evidence: Evidence): readonly string[] {
  const { gate, platforms } = evidence;
  return [
    ...(platforms.length === 0 ? ['it names no platform'] : []),
    ...(gate === undefined ? [] : gateProblems(gate)),
    ...foreignProblems(evidence),
    ...(gate?.passed === true ? judgeRuns(evidence) : []),
  ];
}

/** otherImages returns where a record disagrees with the images that an index really has. */
export function otherImages(
  { platforms }: Pick<Evidence, 'platforms'>,
  images: readonly { readonly manifest: Digest; readonly platform?: string | undefined }[],
): readonly string[] {
  const recorded = new Map(platforms.map(({ manifest, platform }) => [manifest, platform]));
  const unseen = images
    .filter(({ manifest, platform }) => {
      const seen = recorded.get(manifest);
      // `linux/arm64` is `linux/arm64/v8`, too.
      return seen === undefined || (platform !== undefined && !`${platform}/`.startsWith(`${seen}/`));
    })
    .map(({ manifest, platform }) => `nothing is recorded of ${platform ?? 'the image'} ${manifest}`);
  const there = new Set(images.map(({ manifest }) => manifest));
  const absent = platforms.filter(({ manifest }) => !there.has(manifest));
  return [...unseen, ...absent.map((image) => `${textOf(image)} is not in the index`)];
}
