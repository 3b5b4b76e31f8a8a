import type { Contract, Finding, Picture, ImagePlatform, Severity, Waiver } from '../core/index.ts';
import { AppError } from '../errors/index.ts';
import { parseAccounts, resolveUser, type Accounts } from './accounts.ts';
import type { Identity } from './access.ts';
import { layerOrigin } from './blame.ts';
import { takeCensus } from './census.ts';
import type { BaseFacts, ProfileChoice, RuleContext, Undecided } from './context.ts';
import { searchPath } from './executable.ts';
import { isGlob } from './glob.ts';
import { readPolicy, type PolicySource } from './policy/read.ts';
import { resolveProfile, type ResolvedProfile } from './profile.ts';
import { crossRules, ruleInfos, rules } from './rules/index.ts';
import { sizeFacts, type SizeFacts } from './size.ts';
import { applyWaivers } from './waivers.ts';

export interface EvaluateInput extends ProfileChoice {
  /** One per platform of the image. */
  readonly pictures: readonly Picture[];
  /** What is known of the base, per platform; absent facts are reported as undecided rules. */
  readonly base?: Partial<Readonly<Record<ImagePlatform, BaseFacts>>> | undefined;
  readonly contract: Contract;
  readonly waivers?: readonly Waiver[] | undefined;
  readonly now: Date;
  /** A contract-version mismatch is an error, not advice. */
  readonly strictVersion?: boolean | undefined;
  /** policy.yaml of the project, for findings with lines; otherwise the image's own is read. */
  readonly policy?: PolicySource | undefined;
}

export interface Summary {
  readonly profile: string;
  readonly contractVersion: string;
  readonly platforms: readonly ImagePlatform[];
  readonly rules: number;
  readonly counts: Readonly<Record<Severity, number>> & { readonly waived: number };
  /** Rules that lacked a fact: reported, never guessed. */
  readonly undecided: readonly Undecided[];
  readonly sizes: Readonly<Record<string, SizeFacts>>;
}

export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly summary: Summary;
}

function assignments(env: readonly string[] | null | undefined): Map<string, string> {
  const pairs = (env ?? []).map((line): [string, string] => {
    const equals = line.indexOf('=');
    return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
  });
  return new Map(pairs);
}

const countBase = (picture: Picture, base: BaseFacts | undefined): number => {
  const theirs = base?.config.rootfs.diff_ids ?? [];
  const differs = theirs.findIndex((diffId, index) => picture.layers[index]?.diffId !== diffId);
  return differs < 0 ? theirs.length : differs;
};

function runtimeIdentity(profile: ResolvedProfile, accounts: Accounts, userText: string): Identity | undefined {
  const text = profile.runsAs ?? userText;
  const who = resolveUser(text, accounts);
  if (who.$case === 'bad') return profile.runsAs === undefined ? { name: 'root', uid: 0, gids: [0] } : undefined;
  return {
    name: `user ${text === '' ? 'root' : text} (${who.uid}:${who.gids.join(',')})`,
    uid: who.uid,
    gids: who.gids,
  };
}

function policyOf(picture: Picture, profile: ResolvedProfile): PolicySource | undefined {
  const path = profile.policy?.path;
  const bytes = path === undefined ? undefined : picture.contents.get(path);
  if (path === undefined || bytes === undefined) return undefined;
  const rego = profile.policy?.rego === undefined ? undefined : picture.contents.get(profile.policy.rego);
  const layer = picture.tree.get(path)?.layer;
  return {
    text: Buffer.from(bytes).toString('utf8'),
    origin: { $case: 'image', path, layer: layer === undefined ? undefined : layerOrigin(picture, layer) },
    rego:
      rego === undefined ? undefined : { text: Buffer.from(rego).toString('utf8'), name: profile.policy?.rego ?? '' },
  };
}

function globsOf(policy: PolicySource | undefined): string[] {
  const entries = policy === undefined ? {} : readPolicy(policy).policy?.network_policies;
  const paths = Object.values(entries ?? {}).flatMap(({ binaries }) => (binaries ?? []).map(({ path }) => path));
  return [...new Set(paths.filter(isGlob))];
}

function contextOf(input: EvaluateInput, picture: Picture, undecided: Undecided[]): RuleContext {
  const base = input.base?.[picture.platform];
  const profile = resolveProfile(input.contract, input, picture, base);
  const accounts = parseAccounts(picture.contents.get('/etc/passwd'), picture.contents.get('/etc/group'));
  const userText = picture.config.config?.User ?? '';
  const runtime = runtimeIdentity(profile, accounts, userText);
  const { uid, gid } = input.contract.arbitraryUser;
  const policy = input.policy ?? policyOf(picture, profile);
  const env = assignments(picture.config.config?.Env);
  const baseLayers = countBase(picture, base);
  // Where an image does not begin with its base's layers, none of its layers is known to be the base's: the base-layers
  // rule refuses it, and thousands of the base's own files would only hide that.
  const known = baseLayers >= (base?.config.rootfs.diff_ids.length ?? 0);
  const above = known ? baseLayers : Infinity;
  const census = takeCensus(picture.tree, { above, searchPath: searchPath(env), globs: globsOf(policy) });
  return {
    picture,
    contract: input.contract,
    profile,
    strictVersion: input.strictVersion === true,
    baseLayers,
    env,
    census,
    baseEnv: assignments(base?.config.config?.Env),
    labels: picture.config.config?.Labels ?? {},
    accounts,
    user: resolveUser(userText, accounts),
    arbitrary: { name: `random UID ${uid} in group ${gid}`, uid, gids: [gid] },
    base,
    runtime,
    policy,
    undecided: (rule, because) => undecided.push({ rule: rule.id, because, platform: picture.platform }),
  };
}

/** What two platforms say alike is said once, without a platform. */
function merge(perPlatform: readonly (readonly Finding[])[], platforms: readonly ImagePlatform[]): Finding[] {
  const groups = new Map<string, { finding: Finding; on: Set<ImagePlatform> }>();
  perPlatform.forEach((findings, index) => {
    const platform = platforms[index];
    if (platform === undefined) return;
    for (const found of findings) {
      const key = JSON.stringify([found.rule, found.subject, found.severity, found.message]);
      const group = groups.get(key) ?? { finding: found, on: new Set() };
      group.on.add(platform);
      groups.set(key, group);
    }
  });
  return [...groups.values()].flatMap(({ finding, on }): Finding[] =>
    on.size === platforms.length && platforms.length > 1
      ? [finding]
      : [...on].map((platform) => ({ ...finding, platform })),
  );
}

const count = (findings: readonly Finding[], severity: Severity): number =>
  findings.filter((found) => found.severity === severity).length;

/**
 * evaluate holds every platform of an image against the contract. It looks at facts only and does
 * nothing else. Throws `contract/no-picture`, `contract/profile`.
 */
export function evaluate(input: EvaluateInput): Evaluation {
  const platforms = input.pictures.map(({ platform }) => platform);
  if (platforms.length === 0 || new Set(platforms).size !== platforms.length)
    throw new AppError('contract/no-picture', 'usage', 'nothing to hold against the contract', {
      expected: 'one picture for each platform of the image',
      found: platforms.length === 0 ? 'none' : platforms.join(', '),
    });
  const undecided: Undecided[] = [];
  const contexts = input.pictures.map((picture) => contextOf(input, picture, undecided));
  const each = merge(
    contexts.map((context) => rules.flatMap((rule) => rule.check(context))),
    platforms,
  );
  const found = [...each, ...crossRules.flatMap((rule) => rule.check(contexts))];
  const findings = applyWaivers(found, input.waivers ?? [], {
    now: input.now,
    warningDays: input.contract.waiverWarningDays,
    knownRules: ruleInfos.map(({ id }) => id),
  });
  return {
    findings,
    summary: {
      profile: contexts[0]?.profile.derived === true ? `custom (${contexts[0].profile.family})` : input.profile,
      contractVersion: input.contract.version,
      platforms,
      rules: rules.length + crossRules.length,
      counts: {
        error: count(findings, 'error'),
        warning: count(findings, 'warning'),
        note: count(findings, 'note'),
        waived: findings.filter(({ waived }) => waived !== undefined).length,
      },
      undecided,
      sizes: Object.fromEntries(contexts.map((context) => [context.picture.platform, sizeFacts(context)])),
    },
  };
}
