import type { Digest } from './digest.ts';
import type { Pin } from './pin.ts';
import type { Platform } from './platform.ts';

export type Profile = 'standard' | 'openshell' | 'custom';

/** ContextFile is one file of the build context; nothing else enters it. */
export interface ContextFile {
  /** Path inside the context, `/`-separated, relative. */
  readonly path: string;
  /** Where it lies, relative to `root`. */
  readonly source: string;
  /** Absolute; absent: the project. */
  readonly root?: string | undefined;
  /** 0o644 or 0o755. */
  readonly mode: number;
  readonly digest: Digest;
}

/** RunnerSource is a folder that takes the place of the pin `runner` (--runner-source): what was seen of it. */
export interface RunnerSource {
  readonly kind: 'local';
  /** `https://host/path` of its remote `origin`; absent where it has none. */
  readonly repository?: string | undefined;
  readonly commit: string;
  /** The files are not those of the commit: such an image is never published. */
  readonly dirty: boolean;
  /** Path in its repository; `.` is the top. */
  readonly path: string;
  /** Git's tree of that path at the commit; absent where the commit has no such path. */
  readonly tree?: string | undefined;
  /** sha256 over the sorted `sha256sum` lines of the files, as of a pin. */
  readonly digest: Digest;
  /** How many files. */
  readonly files: number;
}

/** A mirror rewrites where bytes come from, never which digest is expected. */
export interface Mirrors {
  /** `registry/repository` prefix or registry host → replacement, for image references. */
  readonly images: Readonly<Record<string, string>>;
  /** URL prefix → URL prefix, for downloads and git. */
  readonly urls: Readonly<Record<string, string>>;
}

/**
 * Plan is the one resolved description of one variant: what `plan --json` prints and what every
 * later step takes. Everything in it is decided; nothing in it was fetched.
 */
export interface Plan {
  readonly version: 1;
  /** e.g. `openshell`, `openshell-claude`, `standard`. */
  readonly variant: string;
  /** Folder under images/: `openshell` or `standard`. */
  readonly image: string;
  readonly profile: Profile;
  readonly platforms: readonly Platform[];
  /** quay.io/… without tag. */
  readonly repository: string;
  readonly base: { readonly pin: string; readonly reference: string; readonly digest: Digest };
  /** Every pin that the variant consumes, by name order. */
  readonly pins: readonly Pin[];
  readonly dockerfile: {
    /** Committed file, relative to the project. */
    readonly path: string;
    readonly text: string;
  };
  /** Set where the runner comes from a folder instead of its pin. */
  readonly runnerSource?: RunnerSource | undefined;
  /** By path order. */
  readonly context: readonly ContextFile[];
  /** Labels written in the Dockerfile as literals. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Build arguments for the image's own description: GIT_COMMIT, CREATED, VERSION, INPUT_DIGEST.
   * They are not part of the input digest: a new commit alone changes no image.
   */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** What could not be pinned and was left out, with the reason. */
  readonly omitted: readonly {
    readonly name: string;
    readonly version?: string | undefined;
    readonly reason: string;
  }[];
  /** Seconds since 1970, for layer timestamps and `created`. */
  readonly sourceDateEpoch: number;
  /** Set when the inputs are the lab's: such an image may be published to loopback only. */
  readonly lab: boolean;
  /** Over Dockerfile, context files (path, mode, digest), base digest, labels and platforms. */
  readonly inputDigest: Digest;
}

/** Labels that have a meaning in this project. */
export const labelNames = {
  contract: 'io.ambient-code.runner-contract-version',
  variant: 'io.ambient-code.runner-variant',
  inputDigest: 'io.ambient-code.input-digest',
  lab: 'io.ambient-code.lab',
  runnerSource: 'io.ambient-code.runner-source',
  expires: 'quay.expires-after',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  created: 'org.opencontainers.image.created',
  version: 'org.opencontainers.image.version',
  title: 'org.opencontainers.image.title',
  description: 'org.opencontainers.image.description',
  licenses: 'org.opencontainers.image.licenses',
} as const;
