import { eachLimited, type Mirrors, type Pin } from '../../core/index.ts';
import type { Host } from '../../host/index.ts';
import type { Verdict } from '../../pins/bump/index.ts';
import { createPublishers } from '../../upstreams/index.ts';
import { onlineRoot } from '../trust/online-root.ts';
import type { FirstSeen } from './first-seen.ts';
import { findRevision, History } from './history.ts';
import { Judge } from './judge.ts';
import type { BumpRow } from './rows.ts';
import { Signatures } from './signatures.ts';
import type { Target } from './targets.ts';

export interface AskOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly mirrors: Mirrors;
  /** Take versions younger than their cooldown. */
  readonly now: boolean;
  /** trusted_root.json for upstream signatures; the public one, by TUF, otherwise. */
  readonly trustedRoot?: string | undefined;
  /** Git revision or date whose facts are restored. */
  readonly to?: string | undefined;
}

/** Pins asked about at once. What holds back is each host's own limit, and that of commands. */
const atOnce = 32;

/**
 * askAbout resolves each target at its upstream and holds the answer against the pin's policy, all at once, and returns
 * the verdicts in the targets' order.
 */
export async function askAbout(
  host: Host,
  pins: ReadonlyMap<string, Pin>,
  targets: readonly Target[],
  firstSeen: FirstSeen,
  { root, mirrors, now, trustedRoot, to }: AskOptions,
): Promise<readonly BumpRow[]> {
  const commit = to === undefined ? undefined : await findRevision(host, root, to);
  const publishers = createPublishers(host, { root, mirrors, pins });
  const trust = trustedRoot === undefined ? { online: () => onlineRoot(host) } : { trustedRoot };
  const signatures = new Signatures(host, root, publishers, trust);
  const judge = new Judge(publishers.upstreams, signatures, firstSeen, host.clock, now);
  const history = commit === undefined ? undefined : new History(host, root, commit, publishers.upstreams, judge);
  const verdicts = new Map<string, Verdict>();
  await eachLimited(targets, atOnce, async ({ pin, requested }) => {
    verdicts.set(pin.name, await (history?.restore(pin) ?? judge.verdict(pin, requested)));
  });
  return targets.map(({ pin }) => ({ pin, verdict: verdicts.get(pin.name) as Verdict }));
}
