import type { Digest, Platform } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { recordSchema, type PlatformBuild } from './schema.ts';
import { evidenceFile, findEvidence, maxEvidenceBytes, type EvidencePlace } from './store.ts';

interface EngineWords {
  readonly product: string;
  readonly version: string;
}

/** platformBuild keeps of an engine's words what a record may hold. */
export function platformBuild(platform: Platform, manifest: Digest, { product, version }: EngineWords): PlatformBuild {
  const text = (said: string): string => said.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 120) || 'unknown';
  return { platform, manifest, engine: { product: text(product), version: text(version) } };
}

/** builtBy names the engines in one line: once when all platforms had the same one, else each with its platform. */
export function builtBy(builds: readonly PlatformBuild[]): string | undefined {
  const named = builds.map(({ platform, engine }) => ({ platform, name: `${engine.product} ${engine.version}` }));
  const names = new Set(named.map(({ name }) => name));
  if (names.size <= 1) return [...names][0];
  return named.map(({ platform, name }) => `${name} (${platform})`).join(', ');
}

async function recordIn(host: Host, file: string) {
  try {
    const text = await host.files.readText(file, maxEvidenceBytes);
    return recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('evidence/malformed', 'usage', 'who built the image cannot be read', {
      expected: 'evidence.json, or what `ci gate --output` wrote',
      where: { file },
      cause,
    });
  }
}

/**
 * recordedBuilds gives who built an index's platforms, from the evidence of `build` and `join` or from the record that
 * `ci gate` hands to the machine that signs; none where nobody wrote it down. Throws `evidence/malformed` and
 * `evidence/other-image` for a file that was named and does not speak about this index.
 */
export async function recordedBuilds(host: Host, place: EvidencePlace): Promise<readonly PlatformBuild[]> {
  const { root, digest, evidence: file } = place;
  if (file === undefined) return (await findEvidence(host, root, digest))?.evidence.builds ?? [];
  const record = await recordIn(host, file);
  if (record.digest === digest) return record.builds;
  throw new AppError('evidence/other-image', 'usage', 'the evidence is about another index', {
    expected: digest,
    found: record.digest,
    where: { file },
  });
}

/**
 * buildsOfLayout gives what `build` wrote beside a layout about exactly the index in it; nothing where it wrote
 * nothing. Throws `evidence/malformed` and `evidence/other-image`: a record that does not fit is no missing one.
 */
export async function buildsOfLayout(host: Host, layout: string, digest: Digest): Promise<readonly PlatformBuild[]> {
  const file = evidenceFile(layout);
  if ((await host.files.stat(file)) === undefined) return [];
  return await recordedBuilds(host, { root: layout, digest, evidence: file });
}
