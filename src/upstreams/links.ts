/** What packages and images write for a project on GitHub: `git+https://…/o/n.git`, `git@github.com:o/n`, `github:o/n`. */
const onGitHub =
  /^(?:(?:git\+)?(?:https?|ssh|git):\/\/(?:[\w.-]+@)?(?:www\.)?github\.com\/|git@github\.com:|github:)([\w.-]+)\/([\w.-]+?)(?:\.git)?(?:[/#?].*)?$/i;

/** releasesOf returns the page of a project's releases, where its source is on GitHub; nothing is guessed for others. */
export function releasesOf(source: string | undefined): string | undefined {
  const [, owner, name] = onGitHub.exec(source ?? '') ?? [];
  return owner === undefined || name === undefined ? undefined : `https://github.com/${owner}/${name}/releases`;
}

/** Labels and annotations that lead to who made an image (image-spec annotations.md), the more telling one first. */
const labels = ['org.opencontainers.image.source', 'org.opencontainers.image.url'];

/** pageOfImage returns the reviewer's page that an image names for itself: releases of its source, else what it says. */
export function pageOfImage(said: Readonly<Record<string, string>>): string | undefined {
  const named = labels.flatMap((label) => said[label] ?? []);
  return named.map(releasesOf).find((page) => page !== undefined) ?? named.find((url) => url.startsWith('https://'));
}

/** pageOfPackage returns the releases of a package's source, else its page on npm's own site, when it came from there. */
export function pageOfPackage(
  name: string,
  version: string,
  repository: unknown,
  tarball: unknown,
): string | undefined {
  const releases = releasesOf(typeof repository === 'string' ? repository : undefined);
  if (releases !== undefined) return releases;
  return typeof tarball === 'string' && /^https:\/\/[a-z]+\.npmjs\.org\//.test(tarball)
    ? `https://www.npmjs.com/package/${name}/v/${version}`
    : undefined;
}
