export type { AttachedBundle, SigningContext } from './attach.ts';
export {
  commandLine,
  consumerCommands,
  consumerTrustOf,
  type ConsumerImage,
  type ConsumerTrust,
} from './consumer-commands.ts';
export { attestTree, type Attestable } from './attest-tree.ts';
export type { LegacyTag } from './legacy-write.ts';
export { makeVerifier, type TrustLoader, type TrustSources } from './policy-file.ts';
export { readPolicy } from './read-policy.ts';
export { onlineRoot } from './online-root.ts';
export { makeSigningContext, type Signing } from './signing-context.ts';
export { compareInventories, formatSbomDiff, isSame, type SbomDiff } from './sbom-diff.ts';
export { pinnedPaths, projectPins, type PinsOfImage } from './pinned-paths.ts';
export { openLayoutImage, type LayoutImage } from './layout-registry.ts';
export { packagesOf, type PlatformPackages } from './packages.ts';
export { sbomsOf, type SbomOptions } from './sbom.ts';
export type { PlatformSbom } from './sbom-files.ts';
export { provenanceOf, type Observed, type ProvenanceSource } from './provenance.ts';
export { promote, type Promotion, type PromoteOptions } from './promote.ts';
export { signTree, type Signed } from './sign-tree.ts';
export { attestSummary, summaryOf } from './summary.ts';
export type { Tree, TreeNode } from './tree.ts';
export { unverified, verifyTree, type NodeReport, type Proof, type TreeReport } from './verify-tree.ts';
