import semver from 'semver';
import { AppError } from '../../errors/index.ts';
import { parseImageRef } from '../../core/image-ref.ts';
import type { BumpablePin, Candidate, Pin } from '../../core/index.ts';
import { isPrerelease, isTopOf, isVariant, parseVersion, type ParsedVersion } from '../../core/version.ts';
import type { Held } from './types.ts';

/** What a person asked for beyond the policy. */
export interface Requested {
  /** `pin@version`. */
  readonly version?: string | undefined;
  /** `--downgrade`. */
  readonly downgrade: boolean;
}

/** checkPolicy returns every fault of a pin's policy that no candidate could ever satisfy. */
export function checkPolicy(pin: Pin, pinsFile: string): readonly AppError[] {
  const { range, tag } = pin.policy;
  const bad = (code: string, message: string, found: string, expected: string): AppError =>
    new AppError(`bump/${code}`, 'usage', `pin ${pin.name}: ${message}`, {
      expected,
      found: JSON.stringify(found),
      where: { file: pinsFile },
    });
  const errors: AppError[] = [];
  if (range !== undefined && semver.validRange(range) === null)
    errors.push(bad('range', 'policy.range is no semver range', range, 'for example ^2, 0.x or >=2 <4'));
  else if (range !== undefined && semver.minVersion(range) === null)
    errors.push(bad('range', 'no version can satisfy policy.range', range, 'a range with at least one version'));
  if (tag !== undefined && tag.split('{version}').length !== 2)
    errors.push(bad('tag', 'policy.tag must hold {version} once', tag, 'for example v{version}'));
  if (pin.policy.signed !== undefined && pin.kind !== 'image' && pin.kind !== 'release')
    errors.push(bad('signed', 'policy.signed is for images and releases', pin.kind, 'a pin of one of these kinds'));
  return errors;
}

/** hasRoom: policy could let in something newer than what is pinned. Where it cannot, no list is asked for. */
export function hasRoom({ version, policy: { range, prerelease } }: BumpablePin): boolean {
  return range === undefined || prerelease === true || !isTopOf(version, range);
}

/** registryOf returns the host whose bytes a pin trusts, in lower case; undefined where npm or uv decide. */
export function registryOf(pin: BumpablePin): string | undefined {
  if (pin.kind === 'image') return parseImageRef(pin.repository).registry.toLowerCase();
  if (pin.kind === 'release' || pin.kind === 'git') return new URL(pin.repository).host.toLowerCase();
  return undefined;
}

function refuse(
  pin: BumpablePin,
  candidate: Candidate,
  parsed: ParsedVersion,
  current: ParsedVersion | undefined,
  requested: Requested,
): Held | undefined {
  const { version } = candidate;
  const { range, deny = [], prerelease = false } = pin.policy;
  if (deny.includes(version)) return { version, reason: 'denied', detail: 'policy.deny names it' };
  // Pre-releases are judged by their own rule: `^2` holds 2.1.0-rc.1, and not 3.0.0-rc.1.
  if (range !== undefined && !semver.satisfies(parsed.value, range, { includePrerelease: true }))
    return { version, reason: 'out-of-range', detail: `not in ${range}` };
  if ((isPrerelease(parsed) || candidate.prerelease === true) && !prerelease)
    return { version, reason: 'prerelease', detail: 'policy.prerelease is not set' };
  if (current !== undefined && semver.compare(parsed.value, current.value) < 0 && !requested.downgrade)
    return { version, reason: 'downgrade', detail: `older than ${current.text}; --downgrade takes it` };
  return undefined;
}

/** newestOfEach keeps one held version per reason: a hundred release candidates are one line. */
function newestOfEach(held: readonly Held[]): readonly Held[] {
  return held.filter((one, at) => held.findIndex(({ reason }) => reason === one.reason) === at);
}

/**
 * weigh orders the candidates, newest first, and leaves out what policy refuses. Only versions of the
 * current one's shape take part (`0.12.7` against `0.12.8`, not against `0.12` or `0.12.8-alpine`).
 * Where one version is requested, that one alone is weighed, whatever its shape. Age is not judged here.
 */
export function weigh(
  pin: BumpablePin,
  candidates: readonly Candidate[],
  requested: Requested,
): { readonly ranked: readonly Candidate[]; readonly held: readonly Held[] } {
  const registry = registryOf(pin);
  const allowed = pin.policy.registries?.map((name) => name.toLowerCase());
  if (registry !== undefined && allowed !== undefined && !allowed.includes(registry))
    return {
      ranked: [],
      held: [{ version: pin.version, reason: 'registry', detail: `${registry} is not in policy.registries` }],
    };
  const current = parseVersion(pin.version);
  const pairs = candidates.flatMap((candidate) => {
    const parsed = parseVersion(candidate.version);
    if (requested.version !== undefined) {
      if (candidate.version !== requested.version) return [];
    } else if (parsed === undefined || current === undefined || parsed.shape !== current.shape || isVariant(parsed))
      return [];
    return [{ candidate, parsed }];
  });
  const ranked: Candidate[] = [];
  const held: Held[] = [];
  pairs.sort((a, b) =>
    a.parsed === undefined || b.parsed === undefined ? 0 : semver.compareBuild(b.parsed.value, a.parsed.value),
  );
  for (const { candidate, parsed } of pairs) {
    const older = requested.version === undefined && parsed !== undefined && current !== undefined;
    if (older && semver.compare(parsed.value, current.value) <= 0) break;
    const refusal = parsed === undefined ? undefined : refuse(pin, candidate, parsed, current, requested);
    if (refusal === undefined) ranked.push(candidate);
    else held.push(refusal);
  }
  return { ranked, held: newestOfEach(held) };
}
