import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bump, type BumpOptions } from '../../src/flows/bump/index.ts';
import type { Mirrors } from '../../src/core/index.ts';
import { bothPythons, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { closers, stage, type Stage } from './stage.ts';

/** What one dry run answered, and what it asked. */
export interface Asked {
  /** Pin → verdict. */
  readonly answers: Readonly<Record<string, string>>;
  readonly registry: readonly string[];
  readonly github: readonly string[];
  /** Lookups by npm, one request each. */
  readonly npm: number;
  /** Statuses of what came with a body, or on condition. */
  readonly gets: readonly number[];
  readonly told: readonly string[];
}

export interface Remembering {
  readonly it: Stage;
  /** Where the machine keeps what upstreams sent. */
  readonly folder: string;
  readonly run: (targets: readonly string[], options?: Partial<BumpOptions>) => Promise<Asked>;
}

/** A stage whose machine has a cache folder, and what each dry run asked. */
export async function remembering(urls: Mirrors['urls'] = {}): Promise<Remembering> {
  const it = await stage();
  it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
  const cache = mkdtempSync(join(tmpdir(), 'bump-answers-'));
  closers.push(() => {
    rmSync(cache, { recursive: true, force: true });
  });
  const gets: number[] = [];
  const host = {
    ...it.host,
    env: { XDG_CACHE_HOME: cache },
    fetch: async (...given: Parameters<typeof it.host.fetch>) => {
      const response = await it.host.fetch(...given);
      if (given[1]?.method !== 'HEAD') gets.push(response.status);
      return response;
    },
  };
  const mirrors = { ...it.mirrors, urls: { ...it.mirrors.urls, ...urls } };
  return {
    it,
    folder: join(cache, 'openshell-runner-images/answers'),
    async run(targets, given = {}) {
      for (const log of [it.registry.log, it.github.log, it.npm.calls, it.host.told, gets]) log.length = 0;
      const options = { root: it.root, targets, dryRun: true, downgrade: false, now: false, mirrors, ...given };
      const { rows } = await bump(host, options);
      return {
        answers: Object.fromEntries(rows.map(({ pin, verdict }) => [pin.name, verdict.$case])),
        registry: [...it.registry.log],
        github: [...it.github.log],
        npm: it.npm.calls.length,
        gets: [...gets],
        told: [...it.host.told],
      };
    },
  };
}
