import { AppError, type Where } from '../errors/index.ts';

/** The platforms this project builds for, as `--platform` writes them. */
export const platforms = ['linux/amd64', 'linux/arm64'] as const;
export type Platform = (typeof platforms)[number];

/** The platform of any image, as `check --platform` takes it: `linux/arm/v7`, `linux/amd64/v3`. */
export type ImagePlatform = `${string}/${string}`;

/** The `platform` object of an OCI index descriptor. */
export interface OciPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** isPlatform returns whether this project builds the platform. */
export function isPlatform(text: string): text is Platform {
  return (platforms as readonly string[]).includes(text);
}

/** parsePlatform throws `core/platform` for anything but a platform of this project. */
export function parsePlatform(text: string, where?: Where): Platform {
  if (isPlatform(text)) return text;
  throw new AppError('core/platform', 'usage', 'unknown platform', {
    expected: platforms.join(' or '),
    found: JSON.stringify(text.slice(0, 80)),
    where,
  });
}

/** architectureOf returns `amd64` or `arm64`: TARGETARCH, GOARCH, the OCI architecture. */
export function architectureOf(platform: Platform): 'amd64' | 'arm64' {
  return platform === 'linux/amd64' ? 'amd64' : 'arm64';
}

/** toOciPlatform returns the platform as an index states it (OCI image spec, "platform"). */
export function toOciPlatform(platform: Platform): OciPlatform {
  return { os: 'linux', architecture: architectureOf(platform) };
}

/** fromOciPlatform returns undefined for a platform that this project does not build. */
export function fromOciPlatform(platform: OciPlatform | undefined): Platform | undefined {
  if (platform === undefined) return undefined;
  const text = `${platform.os}/${platform.architecture}`;
  return isPlatform(text) ? text : undefined;
}

/** What an architecture is when it names no variant (containerd's platforms, normalizeArch). */
const usualVariant: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };

/** formatPlatform returns `linux/arm/v7`; a variant that goes without saying is left out: amd64/v1, arm64/v8. */
export function formatPlatform({ os, architecture, variant }: OciPlatform): ImagePlatform {
  const usual = architecture !== 'arm' && variant === usualVariant[architecture];
  return variant === undefined || variant === '' || usual
    ? `${os}/${architecture}`
    : `${os}/${architecture}/${variant}`;
}

/** parseImagePlatform reads `os/architecture[/variant]`. Throws `core/platform`. */
export function parseImagePlatform(text: string): ImagePlatform {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/(v[0-9]+))?$/.exec(text) ?? [];
  if (os !== undefined && architecture !== undefined) return formatPlatform({ os, architecture, variant });
  throw new AppError('core/platform', 'usage', 'malformed platform', {
    expected: 'os/architecture or os/architecture/variant, such as linux/arm/v7',
    found: JSON.stringify(text.slice(0, 80)),
  });
}

/** isOfPlatform: a descriptor's or a config's platform is the wanted one; `linux/arm` is `linux/arm/v7`. */
export function isOfPlatform(platform: OciPlatform | ImagePlatform, wanted: ImagePlatform): boolean {
  const full = (name: string): string => {
    const [os = '', architecture = '', variant = usualVariant[architecture] ?? ''] = name.split('/');
    return `${os}/${architecture}/${variant}`;
  };
  return full(typeof platform === 'string' ? platform : formatPlatform(platform)) === full(wanted);
}
