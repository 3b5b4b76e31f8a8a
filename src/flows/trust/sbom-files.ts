import { join } from 'node:path';
import { architectureOf, parseDigest, platforms, type Digest, type Platform } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';

export interface PlatformSbom {
  readonly platform: Platform;
  /** The platform's manifest, which the document is about. */
  readonly digest: Digest;
  readonly components: number;
  /** CycloneDX 1.6 JSON, the same bytes for the same image. */
  readonly text: string;
}

const maxSbomBytes = 32 * 1024 * 1024;

/** sbomFile is the name that `sbom --output` gives a platform's document. */
export const sbomFile = (platform: Platform): string => `${architectureOf(platform)}.cdx.json`;

interface Document {
  readonly metadata?:
    | {
        readonly component?:
          { readonly hashes?: readonly { alg?: unknown; content?: unknown }[] | undefined } | undefined;
      }
    | undefined;
  readonly components?: readonly unknown[] | undefined;
}

/**
 * sbomsIn reads the documents that `sbom --output` wrote, so that the layers are not read again. Which image each
 * is about it says itself; a document about another one never verifies. Throws `trust/sbom`.
 */
export async function sbomsIn(host: Host, directory: string): Promise<PlatformSbom[]> {
  const found: PlatformSbom[] = [];
  for (const platform of platforms) {
    const file = join(directory, sbomFile(platform));
    if ((await host.files.stat(file)) === undefined) continue;
    const text = await host.files.readText(file, maxSbomBytes);
    try {
      const { metadata, components } = JSON.parse(text) as Document;
      const hash = metadata?.component?.hashes?.find(({ alg }) => alg === 'SHA-256')?.content;
      const digest = parseDigest(`sha256:${String(hash)}`);
      found.push({ platform, digest, components: components?.length ?? 0, text });
    } catch (cause) {
      throw new AppError('trust/sbom', 'usage', 'no SBOM of an image', {
        expected: 'what `runner-image sbom --output` wrote',
        where: { file },
        cause,
      });
    }
  }
  return found;
}
