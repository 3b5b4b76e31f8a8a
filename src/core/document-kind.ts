import { AppError } from '../errors/index.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, Manifest } from './oci.ts';

/** Members of which a document has those of one kind only; null is absent, as Go writes it. */
const listMembers = ['manifests'];
const imageMembers = ['layers', 'config'];
const schema1Members = ['fsLayers', 'history'];

/**
 * refuseTwoKinds throws `core/oci-two-kinds` for a document that one reader takes for an index and another for a
 * manifest (GHSA-77vh-xpmg-72qh), or for one of Docker's first schema.
 */
export function refuseTwoKinds(value: unknown, what: string, file?: string): void {
  if (typeof value !== 'object' || value === null) return;
  const there = (names: readonly string[]): string[] =>
    names.filter((name) => Object.hasOwn(value, name) && (value as Record<string, unknown>)[name] !== null);
  const kinds = [there(listMembers), there(imageMembers), there(schema1Members)].filter(({ length }) => length > 0);
  if (kinds.length < 2) return;
  throw new AppError('core/oci-two-kinds', 'upstream', `${what} can be read as two kinds of document`, {
    expected: 'manifests (an index), or config and layers (a manifest)',
    found: kinds.flat().join(', '),
    where: file === undefined ? undefined : { file },
    hint: 'no image builder writes this: check what produced it',
  });
}

const referenceType = 'vnd.docker.reference.type';

/**
 * isAttestation: BuildKit attaches attestations as manifests of the platform unknown/unknown (its
 * attestation-storage.md). What has another platform, or none, can be run, whatever its annotation says.
 */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return (
    annotations?.[referenceType] !== undefined && platform?.os === 'unknown' && platform.architecture === 'unknown'
  );
}

/** The two real ones, and those that Docker's engine runs as images for old registries' sake. */
const imageConfigTypes: readonly string[] = [
  mediaTypes.config,
  mediaTypes.dockerConfig,
  'application/octet-stream',
  'application/json',
  'text/html',
  '',
];

/** isImageConfigType: some engine runs a manifest whose config is of this media type. */
export const isImageConfigType = (mediaType: string): boolean => imageConfigTypes.includes(mediaType);

const artifacts: Readonly<Record<string, string>> = {
  'application/vnd.cncf.helm.config.v1+json': 'a Helm chart',
  'application/vnd.wasm.config.v0+json': 'a WebAssembly module',
  'application/vnd.in-toto+json': 'an attestation',
  'application/vnd.dev.sigstore.bundle.v0.3+json': 'a signature',
};

/** artifactName says what a manifest is that is no image, from its artifactType or its config's media type. */
export function artifactName({ artifactType, config }: Manifest): string {
  const type = artifactType ?? config.mediaType;
  return artifacts[type] ?? `an artifact of type ${type.slice(0, 100)}`;
}
