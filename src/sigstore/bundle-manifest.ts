import { digestOf, mediaTypes, type Descriptor } from '../core/index.ts';
import { bundleMediaType } from './predicate-types.ts';

/** emptyConfig is the two-byte config of an artifact (OCI image spec, "Guidance for an empty descriptor"). */
export const emptyConfig = Buffer.from('{}');

const describe = (bytes: Uint8Array, mediaType: string): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

/** emptyDescriptor is the descriptor of emptyConfig. */
export const emptyDescriptor = describe(emptyConfig, mediaTypes.empty);

/**
 * bundleManifest is the OCI 1.1 referrer that carries a bundle, member for member as cosign 3 writes
 * it. `created` is an ISO date. The bundle and the empty config `{}` are its blobs.
 */
export function bundleManifest(
  subject: Descriptor,
  bundle: Uint8Array,
  predicateType: string,
  created: string,
): { readonly bytes: Buffer; readonly layer: Descriptor } {
  const layer = describe(bundle, bundleMediaType);
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: bundleMediaType,
    config: emptyDescriptor,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations: {
      'org.opencontainers.image.created': created,
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), layer };
}
