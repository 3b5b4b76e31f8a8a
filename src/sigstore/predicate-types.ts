/**
 * What a bundle may say about an image. `signature` is cosign 3's image signature, an in-toto
 * statement with an empty predicate; the others are SLSA's and CycloneDX's own names. A verification summary is what
 * another verifier found: it is shown, and a policy does not ask for it.
 */
export const predicateTypes = {
  signature: 'https://sigstore.dev/cosign/sign/v1',
  provenance: 'https://slsa.dev/provenance/v1',
  sbom: 'https://cyclonedx.org/bom',
  summary: 'https://slsa.dev/verification_summary/v1',
} as const;

export type Attestation = keyof typeof predicateTypes;
/** What a policy may require. */
export const attestations = ['signature', 'provenance', 'sbom'] as const satisfies readonly Attestation[];

/** attestationOf compares whole strings: `…/v1.1` or a trailing slash is another predicate. */
export function attestationOf(predicateType: string): Attestation | undefined {
  return ([...attestations, 'summary'] as const).find((name) => predicateTypes[name] === predicateType);
}

export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** Every version of a bundle: what a reader must look into. */
export const isBundleType = (type: string): boolean => /^application\/vnd\.dev\.sigstore\.bundle[.+]/.test(type);
export const inTotoPayloadType = 'application/vnd.in-toto+json';
