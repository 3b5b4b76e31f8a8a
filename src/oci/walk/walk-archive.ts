import { platforms, type ImagePlatform, type LayerFacts, type Picture } from '../../core/index.ts';
import { AppError } from '../../errors/index.ts';
import { findImage, resolve, type ArchiveImage, type Machine } from '../import/archive-image.ts';
import { readArchive, type Member } from '../import/intake.ts';
import { LayerIntake, type IntakeFacts } from '../layer-intake.ts';
import { digestMismatch } from '../verify.ts';
import { LayerReader, type LayerOptions } from './layer.ts';
import { defaultLimits } from './limits.ts';
import { manifestOf } from './made-manifest.ts';
import { inLayer, PictureBuilder, stepOf } from './picture-builder.ts';
import { compileRules } from './rules.ts';
import type { WalkOptions } from './walk.ts';

interface ReadLayer extends IntakeFacts {
  readonly reader: LayerReader;
}

type Members = ReadonlyMap<string, Member<ReadLayer>>;

function layersOf(members: Members, image: ArchiveImage): ReadLayer[] {
  const { diff_ids: diffIds } = image.config.rootfs;
  if (diffIds.length !== image.layers.length) {
    throw new AppError('oci/layers', 'upstream', "the archive's config and layer list disagree", {
      expected: `${image.layers.length} diffIDs`,
      found: `${diffIds.length}`,
    });
  }
  return image.layers.map(({ name, digest }, index) => {
    const { member } = resolve(members, name);
    if (member.$case !== 'layer') {
      throw new AppError('oci/archive', 'upstream', `layer ${index} of the archive is no tar`, { found: name });
    }
    const layer = member.layer as ReadLayer;
    if (digest !== undefined && digest !== layer.digest) throw digestMismatch(`layer ${index}`, digest, layer.digest);
    const expected = diffIds[index] ?? '';
    if (layer.diffId !== expected) throw digestMismatch(`the content of layer ${index}`, expected, layer.diffId);
    return layer;
  });
}

function machineOf(platform: ImagePlatform): Machine {
  const [os = '', architecture = '', variant] = platform.split('/');
  return { os, architecture, variant };
}

function pictureOf(members: Members, platform: ImagePlatform, options: WalkOptions): Picture {
  const image = findImage(members, machineOf(platform));
  const limits = { ...defaultLimits, ...options.limits };
  const builder = new PictureBuilder(limits, options.collectors?.wantContent);
  const steps = stepOf(image.config);
  const layers = layersOf(members, image);
  const facts = layers.map(({ reader, digest, diffId, size }, index): LayerFacts => {
    builder.startLayer(index);
    try {
      // Docker saves a layer that occurs twice once.
      const again = layers.findIndex((layer, later) => later > index && layer.reader === reader) >= 0;
      builder.apply(reader, { applied: 0, awaited: new Map() }, again);
    } catch (error) {
      throw inLayer(error, index, steps[index]);
    }
    builder.endLayer(reader, index);
    const createdBy = steps[index]?.created_by;
    return { digest, diffId, size, uncompressedSize: reader.bytes, entries: reader.records.added, createdBy };
  });
  const { manifest, digest } = manifestOf(image.configBytes, layers);
  return { platform, manifestDigest: digest, manifest, config: image.config, layers: facts, ...builder.finish() };
}

/**
 * walkArchive walks an archive that streams by once and cannot be sought in: `docker save` from a
 * daemon. Layers come in any order and are named last, so all their entries wait in memory, about
 * 70 bytes each. The manifest is made here, over the layers as they are stored. Throws what
 * walkImage throws, and `oci/archive`.
 */
export async function walkArchive(
  archive: AsyncIterable<Uint8Array>,
  options: WalkOptions & { readonly wanted?: readonly ImagePlatform[] | undefined } = {},
): Promise<Picture> {
  const members = new Map<string, Member<ReadLayer>>();
  const layerOptions: LayerOptions = {
    limits: { ...defaultLimits, ...options.limits },
    wantContent: options.collectors?.wantContent,
    rules: compileRules(options.collectors?.secrets ?? []),
  };
  await readArchive<ReadLayer>(
    async (name, compression) => {
      const reader = new LayerReader(0, layerOptions);
      let compressed = 0;
      const intake = new LayerIntake(name, compression, (chunk) => {
        reader.write(chunk, compressed);
      });
      return {
        write: (chunk) => {
          compressed += chunk.length;
          return intake.write(chunk);
        },
        async finish() {
          const facts = await intake.finish();
          reader.finish();
          return { ...facts, reader };
        },
        discard: async () => {
          intake.discard();
        },
      };
    },
    archive,
    async (name, member) => {
      members.set(name, member);
    },
  );
  const failures: unknown[] = [];
  for (const platform of options.wanted ?? platforms) {
    try {
      return pictureOf(members, platform, options);
    } catch (error) {
      // Another platform's image is looked for; whatever else is wrong with this one is its error.
      if (!(error instanceof AppError) || error.code !== 'oci/archive') throw error;
      failures.push(error);
    }
  }
  throw failures[0];
}
