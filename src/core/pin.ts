import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** PinEvidence says where one fact of a pin was learned. Facts without evidence are not facts. */
export interface PinEvidence {
  /** `publisher-checksum`, `registry-digest`, `own-hash`, `api-digest`, `git-object`, `lock-integrity`, `signature` and `attestation` (verified, with who signed), `recorded` (handed down, not re-observed). */
  readonly kind:
    | 'publisher-checksum'
    | 'registry-digest'
    | 'own-hash'
    | 'api-digest'
    | 'git-object'
    | 'lock-integrity'
    | 'signature'
    | 'attestation'
    | 'recorded';
  readonly source: string;
  /** ISO date on which the fact was seen. */
  readonly seen?: string | undefined;
}

/** SignedBy is who has to have signed a pin's bytes, every value whole; nothing is a pattern. */
export interface SignedBy {
  /** Who vouches for the identities; absent with a key. */
  readonly issuer?: string | undefined;
  /** Subjects of certificates, e.g. `https://github.com/o/r/.github/workflows/f.yml@refs/tags/v1`; `{version}` is filled in. */
  readonly identities?: readonly string[] | undefined;
  /** `https://github.com/o/r`, as the certificate names it. */
  readonly repository?: string | undefined;
  /** Any of these, e.g. `refs/tags/v{version}`. */
  readonly ref?: readonly string[] | undefined;
  /** Any of these, e.g. `push`. */
  readonly trigger?: readonly string[] | undefined;
  /** Builder ids that provenance may name; the signing workflow itself otherwise. */
  readonly builders?: readonly string[] | undefined;
  /** File with a public key, relative to the project, instead of identities. */
  readonly key?: string | undefined;
  /** `signature`: cosign's; `provenance`: SLSA, as GitHub's artifact attestations are. */
  readonly require: readonly ('signature' | 'provenance')[];
  /** Of an image: `every` manifest, or only the index (`root`), as most upstreams sign. */
  readonly nodes: 'every' | 'root';
  /** Also read cosign 2's tags `.sig` and `.att`. */
  readonly legacy: boolean;
}

/** Policy says which candidates `bump` may take. */
export interface PinPolicy {
  /** semver range of acceptable versions, e.g. `^2`, `0.x`. */
  readonly range?: string | undefined;
  /** Tag pattern for registries, `{version}` stands for the version, e.g. `v{version}`. */
  readonly tag?: string | undefined;
  readonly prerelease?: boolean | undefined;
  /** Days a candidate must have been public before it is taken. */
  readonly cooldownDays?: number | undefined;
  readonly deny?: readonly string[] | undefined;
  /** Hosts that the pin's bytes may come from, compared as hostnames; absent: the one it names. */
  readonly registries?: readonly string[] | undefined;
  /** Of images and releases: who has to have signed them, verified for every architecture. */
  readonly signed?: SignedBy | undefined;
}

interface PinBase {
  readonly name: string;
  readonly policy: PinPolicy;
  readonly evidence: readonly PinEvidence[];
  /** What is known to be missing, each with a reason: reported, never invented. */
  readonly absent: readonly { readonly fact: string; readonly reason: string }[];
}

/** ImagePin: a container image by index digest. */
export interface ImagePin extends PinBase {
  readonly kind: 'image';
  /** `host/repository`, without tag. */
  readonly repository: string;
  readonly version: string;
  readonly digest: Digest;
  /** Per-platform manifest digests where they were observed. */
  readonly platforms: Partial<Record<Platform, Digest>>;
}

/** ReleasePin: release assets, one per architecture, with checksums in `checksums/<name>/<version>.sha256`. */
export interface ReleasePin extends PinBase {
  readonly kind: 'release';
  /** `https://github.com/<owner>/<name>`. */
  readonly repository: string;
  readonly version: string;
  /** `{version}` and `{arch}` (amd64, arm64) are filled in. */
  readonly url: string;
  readonly checksumFile: string;
  readonly checksums: Record<Platform, Digest>;
}

/** NpmPin: one agent's packages, locked with integrity in a package-lock.json. */
export interface NpmPin extends PinBase {
  readonly kind: 'npm';
  /** The package whose version names the pin, e.g. `@openai/codex`. */
  readonly package: string;
  readonly version: string;
  /** Directory with package.json and package-lock.json, relative to the project. */
  readonly lock: string;
  /** `sha512-…` of the package itself, as in the lock. */
  readonly integrity: string;
}

/** PythonPin: an interpreter that the pinned uv installs and verifies by the hashes it carries. */
export interface PythonPin extends PinBase {
  readonly kind: 'python';
  readonly version: string;
  readonly installedBy: string;
}

/** GitPin: a directory of a repository at one commit. */
export interface GitPin extends PinBase {
  readonly kind: 'git';
  readonly repository: string;
  readonly version: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly path: string;
  /** Git's tree object of `path` at `commit`, 40 hex digits. */
  readonly tree: string;
  /** sha256 over the sorted `sha256sum` lines of every file below `path`. */
  readonly digest: Digest;
}

/** RpmPin: packages by name from the base image's own signed repositories; versions float. */
export interface RpmPin extends PinBase {
  readonly kind: 'rpms';
  readonly base: string;
  readonly packages: readonly string[];
}

/** ActionPin: a GitHub Action by commit. */
export interface ActionPin extends PinBase {
  readonly kind: 'action';
  readonly repository: string;
  readonly version: string;
  readonly commit: string;
}

export type Pin = ImagePin | ReleasePin | NpmPin | PythonPin | GitPin | RpmPin | ActionPin;
export type PinKind = Pin['kind'];
