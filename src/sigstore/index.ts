export { buildSite, localBuilder, type BuildSite } from './build-site.ts';
export { bundleManifest, emptyConfig, emptyDescriptor } from './bundle-manifest.ts';
export { type Identity } from './certificate.ts';
export { identityToken } from './identity-token.ts';
export { expectedSource, unusedSource } from './expected-source.ts';
export { approvalsProblem, type Validity } from './further-signers.ts';
export { entryIdentity, leafHash, leafOf, readEntries, searchLog, type LoggedEntry } from './log-search.ts';
export { policySchema, isKeyless, upstreamPolicySchema, type KeylessSigner, type TrustPolicy } from './policy.ts';
export { attestationOf, isBundleType, predicateTypes, type Attestation } from './predicate-types.ts';
export { buildType, checkProvenance, makeProvenance, type BuiltBy, type ProvenanceFacts } from './provenance.ts';
export type { Provenance, ResourceDescriptor } from './provenance-schema.ts';
export { refuse, type RefusalCode, type Refused } from './refusal.ts';
export { maxSigningConfigBytes, publicServices, readSigningConfig, type Services } from './services.ts';
export { signStatement } from './sign.ts';
export { keylessSigner, keySigner, type Signer } from './signer.ts';
export {
  encodeStatement,
  imageSignature,
  makeStatement,
  maxStatementBytes,
  readStatement,
  subjectIs,
  type Statement,
} from './statement.ts';
export { keyTrust, maxTrustedRootBytes, readTrustedRoot, type Trust } from './trusted-root.ts';
export { claimProblem, createVerifier, maxBundleBytes, type BundleVerifier, type Verified } from './verify.ts';
export { localVerifier, makeSummary, summarySchema, type SummaryFacts } from './verification-summary.ts';
export { legacyAttestation, legacyManifest, legacyTypes, signLegacy, type LegacyLayer } from './legacy.ts';
export { verifyLegacyLayer } from './legacy-verify.ts';
