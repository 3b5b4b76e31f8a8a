import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import { isBlobDigest, type Digest } from './digest.ts';
import { refuseTwoKinds } from './document-kind.ts';
import { configShape, dockerArchiveShape, nodeShape, type Shape } from './json-shapes.ts';
import { readJson, withoutNulls } from './json.ts';

const digest = z.custom<Digest>(
  (value) => typeof value === 'string' && isBlobDigest(value),
  'not a sha256 or sha512 digest',
);
const annotations = z.record(z.string(), z.string());
const platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  artifactType: z.string().optional(),
  /** The content itself, in base64; held against digest and size as any blob. */
  data: z.base64().optional(),
  annotations: annotations.optional(),
  platform: platform.optional(),
});
/** OCI content descriptor (image-spec descriptor.md); `size` in bytes. */
export type Descriptor = Readonly<z.infer<typeof descriptor>>;

const manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
});
export type Manifest = Readonly<z.infer<typeof manifest>>;

const index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  manifests: z.array(descriptor),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
});
export type Index = Readonly<z.infer<typeof index>>;

const runtimeConfig = z.object({
  User: z.string().nullish(),
  ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
  Env: z.array(z.string()).nullish(),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Volumes: z.record(z.string(), z.unknown()).nullish(),
  WorkingDir: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().nullish(),
});
const history = z.object({
  created: z.string().optional(),
  created_by: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  empty_layer: z.boolean().optional(),
});
const imageConfig = z.looseObject({
  created: z.string().optional(),
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  config: runtimeConfig.nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z.array(history).nullish(),
});
/** OCI image configuration (image-spec config.md). Unknown members are kept as they are. */
export type ImageConfig = Readonly<z.infer<typeof imageConfig>>;
export type HistoryEntry = Readonly<z.infer<typeof history>>;

const dockerArchive = z.array(
  z.object({ Config: z.string(), Layers: z.array(z.string()), RepoTags: z.array(z.string()).optional() }),
);
/** An image of a docker-archive: names of members, and the image's names. */
export type DockerArchiveImage = Readonly<z.infer<typeof dockerArchive>[number]>;

function parseJson<T>(
  schema: z.ZodType<T>,
  shape: Shape,
  what: string,
  bytes: Uint8Array | string,
  file: string | undefined,
): T {
  const value = readJson(bytes, what, { shape, file });
  if (shape === nodeShape) refuseTwoKinds(value, what, file);
  const result = schema.safeParse(withoutNulls(value, shape));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AppError('core/oci-shape', 'upstream', `malformed ${what}`, {
    found: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`,
    expected: 'a document of the OCI image spec',
    where: file === undefined ? undefined : { file },
  });
}

/**
 * The parsers throw what readJson throws, `core/oci-two-kinds` or `core/oci-shape`; callers verify size and digest
 * first. `file` is where the document lies, for errors.
 */
export const parseManifest = (bytes: Uint8Array | string, file?: string): Manifest =>
  parseJson(manifest, nodeShape, 'image manifest', bytes, file);
/** parseIndex reads an OCI index or a Docker manifest list. Throws as parseManifest does. */
export const parseIndex = (bytes: Uint8Array | string, file?: string): Index =>
  parseJson(index, nodeShape, 'image index', bytes, file);
/** parseImageConfig reads the config of an OCI or a Docker image. Throws as parseManifest does. */
export const parseImageConfig = (bytes: Uint8Array | string, file?: string): ImageConfig =>
  parseJson(imageConfig, configShape, 'image config', bytes, file);
/** parseDockerArchive reads manifest.json of what `docker save` writes. Throws as the others do. */
export const parseDockerArchive = (bytes: Uint8Array | string, file?: string): readonly DockerArchiveImage[] =>
  parseJson(dockerArchive, dockerArchiveShape, 'manifest.json of an archive', bytes, file);
