import type { Digest, Platform } from '../core/index.ts';
import type { Build } from './schema.ts';

/** buildBy returns the record of one platform's build: an engine's words, as far as a record may hold them. */
export function buildBy(
  engine: { readonly product: string; readonly version: string },
  platform: Platform,
  manifest: Digest,
): Build {
  const text = (said: string): string => said.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 120) || 'unknown';
  return { platform, manifest, engine: { product: text(engine.product), version: text(engine.version) } };
}

/** builtBy names the engines in one line: once when all platforms had the same one, else each with its platform. */
export function builtBy(builds: readonly Build[]): string | undefined {
  const named = builds.map(({ platform, engine }) => ({ platform, name: `${engine.product} ${engine.version}` }));
  const names = new Set(named.map(({ name }) => name));
  if (names.size <= 1) return [...names][0];
  return named.map(({ platform, name }) => `${name} (${platform})`).join(', ');
}
