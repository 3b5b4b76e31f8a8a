import { architectureOf, labelNames, type Plan, type Platform } from '../../core/index.ts';
import type { Engine } from '../../engines/index.ts';
import { AppError } from '../../errors/index.ts';
import type { Registry } from '../../registry/index.ts';

export interface BuildOptions {
  /** Absolute path of the project. */
  readonly root: string;
  readonly plan: Plan;
  /** Absolute path of the layout. */
  readonly layout: string;
  readonly registry: Registry;
  /** Made only when something must be built: detecting an engine takes time. */
  readonly engine: () => Promise<Engine>;
  readonly reuse?: Reuse | undefined;
  readonly machine?: Machine | undefined;
  readonly cache?: Cache | undefined;
  /** Labels that only this build carries, e.g. `quay.expires-after`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Reuse is where an earlier build of the same inputs is looked for, beside the layout. */
export interface Reuse {
  /** `host/repository`; absent: no look. */
  readonly published?: string | undefined;
  /** Build even when the layout or the registry holds the same inputs. */
  readonly never?: boolean | undefined;
}

/** Machine is what build steps need on this machine, and what no image is made of. */
export interface Machine {
  /** Build arguments: proxies. */
  readonly args?: Readonly<Record<string, string>> | undefined;
  readonly extraCa?: Uint8Array | undefined;
  readonly extraHosts?: readonly string[] | undefined;
  readonly networkMode?: 'host' | undefined;
}

/** Cache is the engine's cache, in its own syntax; `{arch}` stands for each platform's architecture. */
export interface Cache {
  readonly from?: readonly string[] | undefined;
  /** With several platforms `{arch}` must be in it. */
  readonly to?: readonly string[] | undefined;
  readonly none?: boolean | undefined;
}

/** expiryOf returns when this build's images expire, in Quay's notation; undefined: they stay. */
export const expiryOf = ({ labels }: BuildOptions): string | undefined => labels?.[labelNames.expires];

/** cacheOf returns one platform's cache. */
export function cacheOf({ cache = {} }: BuildOptions, platform: Platform) {
  const own = (text: string): string => text.replaceAll('{arch}', architectureOf(platform));
  return { cacheFrom: cache.from?.map(own), cacheTo: cache.to?.map(own), noCache: cache.none };
}

/** refuseSharedCache: platforms export at the same time; into one place, the last would be the only one. Throws `flows/shared-cache`. */
export function refuseSharedCache({ plan, cache }: BuildOptions): void {
  const shared = cache?.to?.find((text) => !text.includes('{arch}'));
  if (shared === undefined || plan.platforms.length < 2) return;
  throw new AppError('flows/shared-cache', 'usage', 'every platform would overwrite the same cache', {
    expected: '{arch} in --cache-to, e.g. type=registry,ref=HOST/cache:{arch}',
    found: shared,
    hint: 'put {arch} into --cache-to and --cache-from, or build one platform: --platform',
  });
}
