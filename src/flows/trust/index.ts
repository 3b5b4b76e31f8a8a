export type { AttachedBundle, Pen } from './attach.ts';
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
export { ownPolicyFile, readPolicy, repositoryHere } from './read-policy.ts';
export { onlineRoot } from './online-root.ts';
export { makePen, type Signing } from './pen.ts';
export { compareInventories, formatSbomDiff, isSame, sbomDiff, type SbomDiff } from './sbom-diff.ts';
export { pinnedPaths, projectPins, type PinsOfImage } from './pinned-paths.ts';
export { packagesOf, type PlatformPackages } from './packages.ts';
export { sbomsOf, type SbomOptions } from './sbom.ts';
export { sbomFile, sbomsIn, type PlatformSbom } from './sbom-files.ts';
export { provenanceOf, type Observed, type ProvenanceSource } from './provenance.ts';
export { promote, type Promotion, type PromoteOptions } from './promote.ts';
export { demandDigest, signTree, type Signed } from './sign-tree.ts';
export { readTree, type Tree, type TreeNode } from './tree.ts';
export { unverified, verifyTree, type NodeReport, type Proof, type TreeReport } from './verify-tree.ts';
