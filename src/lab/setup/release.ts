/** The distribution releases whose package names setup knows. */
export const releases = ['debian 12', 'debian 13', 'ubuntu 22.04', 'ubuntu 24.04'] as const;
export type Release = (typeof releases)[number];

/** What os-release(5) says of a machine: `name` for a reader, `release` when setup knows its packages. */
export interface Distribution {
  readonly name: string;
  readonly release?: Release | undefined;
}

/** parseOsRelease reads the text of /etc/os-release; a derivative is not taken for what it derives from. */
export function parseOsRelease(text: string): Distribution {
  const field = (key: string): string => new RegExp(`^${key}=(["']?)(.*)\\1$`, 'm').exec(text)?.[2] ?? '';
  const id = `${field('ID')} ${field('VERSION_ID')}`.trim();
  return { name: field('PRETTY_NAME') || id || 'an unknown system', release: releases.find((one) => one === id) };
}
