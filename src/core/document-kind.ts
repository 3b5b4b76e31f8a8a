import { AppError } from '../errors/index.ts';
import type { Descriptor } from './oci.ts';

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
    ...(file === undefined ? {} : { where: { file } }),
    hint: 'no tool that makes images writes this: look at what made it',
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
