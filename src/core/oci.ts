import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import { isDigest, type Digest } from './digest.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest');
const annotations = z.record(z.string(), z.string());
const platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  artifactType: z.string().optional(),
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

function parseJson<T>(schema: z.ZodType<T>, what: string, bytes: Uint8Array | string): T {
  let value: unknown;
  try {
    value = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new AppError('core/oci-json', 'upstream', `${what} is not JSON`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AppError('core/oci-shape', 'upstream', `malformed ${what}`, {
    found: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`,
    expected: 'a document of the OCI image spec',
  });
}

/** The parsers throw `core/oci-json` or `core/oci-shape`; callers verify size and digest first. */
export const parseManifest = (bytes: Uint8Array | string): Manifest => parseJson(manifest, 'image manifest', bytes);
export const parseIndex = (bytes: Uint8Array | string): Index => parseJson(index, 'image index', bytes);
export const parseImageConfig = (bytes: Uint8Array | string): ImageConfig =>
  parseJson(imageConfig, 'image config', bytes);
