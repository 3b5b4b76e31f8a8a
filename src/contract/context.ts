import type {
  Contract,
  Digest,
  Finding,
  ImageConfig,
  ImagePlatform,
  Picture,
  Profile,
  RuleInfo,
} from '../core/index.ts';
import type { Identity } from './access.ts';
import type { Accounts, ResolvedUser } from './accounts.ts';
import type { Census } from './census.ts';
import type { ResolvedProfile } from './profile.ts';
import type { PolicySource } from './policy/read.ts';

/** What is known of the base image, per platform; `config.rootfs.diff_ids` are its layers. */
export interface BaseFacts {
  /** `host/repository@sha256:…` as it was asked for. */
  readonly reference?: string | undefined;
  /** Digest by which the base was pinned: of its index, or of its manifest. */
  readonly digest?: Digest | undefined;
  readonly config: ImageConfig;
}

/** RuleContext is everything that one rule may look at, for one platform. */
export interface RuleContext {
  readonly picture: Picture;
  readonly contract: Contract;
  readonly profile: ResolvedProfile;
  readonly strictVersion: boolean;
  readonly base?: BaseFacts | undefined;
  /** Lowest layers that are the base's, proven by diff id; 0 when no base is known. */
  readonly baseLayers: number;
  readonly env: ReadonlyMap<string, string>;
  readonly baseEnv: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly accounts: Accounts;
  /** The config's User. */
  readonly user: ResolvedUser;
  /** Who runs processes in this image: the config's user or the one it drops to, when known. */
  readonly runtime?: Identity | undefined;
  /** A random UID in group 0, as OpenShift's restricted-v2 assigns. */
  readonly arbitrary: Identity;
  readonly policy?: PolicySource | undefined;
  readonly census: Census;
  /** Says that a rule could not be decided, with the fact that is missing. */
  undecided(rule: RuleInfo, because: string): void;
}

/** One rule over one platform's picture. */
export interface Rule {
  readonly info: RuleInfo;
  check(context: RuleContext): Finding[];
}

/** One rule over all platforms together. */
export interface CrossRule {
  readonly info: RuleInfo;
  check(contexts: readonly RuleContext[]): Finding[];
}

export interface Undecided {
  readonly rule: string;
  readonly because: string;
  readonly platform?: ImagePlatform | undefined;
}

export interface ProfileChoice {
  readonly profile: Profile;
  /** For `custom`: which profile it derives from; read from the variant label otherwise. */
  readonly derivedFrom?: Exclude<Profile, 'custom'> | undefined;
}
