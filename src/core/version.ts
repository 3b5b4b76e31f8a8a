import semver from 'semver';

/** A version that can be ordered among those of its own shape. */
export interface ParsedVersion {
  readonly text: string;
  /** `full` (1.2.3), `n` (10), `n.n` (3.14) or `n.n-build` (10.1-1764649731): only equal shapes are compared. */
  readonly shape: 'full' | 'n' | 'n.n' | 'n.n-build';
  readonly value: semver.SemVer;
}

/** parseVersion returns undefined for a text without an order: `latest`, `debian-slim`. */
export function parseVersion(text: string): ParsedVersion | undefined {
  if (text.length > 128 || !/^\d/.test(text)) return undefined;
  const [, major, minor, build] = /^(\d{1,9})(?:\.(\d{1,9})(?:-(\d{1,15}))?)?$/.exec(text) ?? [];
  if (major !== undefined) {
    const value = semver.parse(`${Number(major)}.${Number(minor ?? 0)}.${Number(build ?? 0)}`);
    const shape = minor === undefined ? 'n' : build === undefined ? 'n.n' : 'n.n-build';
    return value === null ? undefined : { text, shape, value };
  }
  const value = semver.parse(text);
  return value === null ? undefined : { text, shape: 'full', value };
}

/** isFloating: a tag such as `10` or `3.14` is meant to move; `3.14.3` is not. */
export function isFloating(version: string): boolean {
  const shape = parseVersion(version)?.shape;
  return shape === 'n' || shape === 'n.n';
}

/** compareVersions is negative, zero or positive; undefined where the two have no common order. */
export function compareVersions(a: string, b: string): number | undefined {
  const [one, other] = [parseVersion(a), parseVersion(b)];
  return one === undefined || other === undefined ? undefined : semver.compare(one.value, other.value);
}

/** nextOf returns the smallest version of the same shape that is newer; undefined where only a list can show it. */
function nextOf({ shape, value }: ParsedVersion): string | undefined {
  const { major, minor, patch, prerelease } = value;
  if (prerelease.length > 0) return undefined;
  if (shape === 'n') return `${major + 1}.0.0`;
  return shape === 'n.n' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}

/**
 * isTopOf: no version that is newer than this one and of its shape can be in the range, so that no list has to be
 * fetched: `10` in `^10`, `1.2.3` in `1.2.3`. A version without an order is compared with nothing at all.
 */
export function isTopOf(version: string, range: string): boolean {
  const parsed = parseVersion(version);
  if (parsed === undefined) return true;
  const next = nextOf(parsed);
  return next !== undefined && semver.gtr(next, range, { includePrerelease: true });
}

const known = /^(?:a|alpha|b|beta|c|rc|pre|preview|dev|next|nightly|canary|snapshot)?[.-]?\d*$/i;

/** isPrerelease: `1.2.3-rc.1`, and also `1.2.3-alpine`, which is another build and no version of ours. */
export const isPrerelease = (version: ParsedVersion): boolean => version.value.prerelease.length > 0;

/** isVariant: the suffix names another build (`-alpine`, `-slim`), which no policy lets in by itself. */
export function isVariant({ value }: ParsedVersion): boolean {
  const [first] = value.prerelease;
  return first !== undefined && !known.test(String(first));
}

/** versionOfTag takes the version out of a tag by a pattern such as `v{version}`; undefined for other tags. */
export function versionOfTag(tag: string, pattern = '{version}'): string | undefined {
  const [before = '', after] = pattern.split('{version}');
  if (after === undefined || tag.length <= before.length + after.length) return undefined;
  return tag.startsWith(before) && tag.endsWith(after)
    ? tag.slice(before.length, tag.length - after.length)
    : undefined;
}

/** tagOfVersion fills a version into a pattern such as `v{version}`. */
export function tagOfVersion(version: string, pattern = '{version}'): string {
  return pattern.replaceAll('{version}', version);
}
