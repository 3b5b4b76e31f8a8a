import { AppError, type Where } from '../errors/index.ts';

/** The platforms this project builds for, as `--platform` writes them. */
export const platforms = ['linux/amd64', 'linux/arm64'] as const;
export type Platform = (typeof platforms)[number];

/** The `platform` object of an OCI index descriptor. */
export interface OciPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

export function isPlatform(text: string): text is Platform {
  return (platforms as readonly string[]).includes(text);
}

/** parsePlatform throws `core/platform` for anything but a platform of this project. */
export function parsePlatform(text: string, where?: Where): Platform {
  if (isPlatform(text)) return text;
  throw new AppError('core/platform', 'usage', 'unknown platform', {
    expected: platforms.join(' or '),
    found: JSON.stringify(text.slice(0, 80)),
    ...(where === undefined ? {} : { where }),
  });
}

/** architectureOf gives `amd64` or `arm64`: TARGETARCH, GOARCH, the OCI architecture. */
export function architectureOf(platform: Platform): 'amd64' | 'arm64' {
  return platform === 'linux/amd64' ? 'amd64' : 'arm64';
}

export function toOciPlatform(platform: Platform): OciPlatform {
  return { os: 'linux', architecture: architectureOf(platform) };
}

/** fromOciPlatform gives undefined for a platform that this project does not build. */
export function fromOciPlatform(platform: OciPlatform | undefined): Platform | undefined {
  if (platform === undefined) return undefined;
  const text = `${platform.os}/${platform.architecture}`;
  return isPlatform(text) ? text : undefined;
}
