import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Awaited } from './awaited.ts';
import { hasCertificates } from './certificates.ts';
import { exec } from './exec.ts';
import { makeFetch } from './fetch.ts';
import { nodeFiles } from './files.ts';
import { lineOut } from './output.ts';
import { makeProgress } from './progress.ts';
import type { Host } from './types.ts';

export type * from './types.ts';
export { Git } from './git.ts';
export { apiOf, GitHub, ownerAndName, type GitHubRequest } from './github.ts';
export { makeConsole, type Console } from './output.ts';
export { takeLock, type FileLock } from './lock.ts';
export interface CreatedHost extends Host {
  /** Runs what was registered with onExit, last first; every piece runs even when one fails. */
  close(): Promise<void>;
  /** Ends the host's signal, as Ctrl-C does. */
  abort(reason: string): void;
  /** The requests and processes that have not ended; where there are none, the last one that did. */
  awaited(): readonly string[];
}

async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal });
}

/** createHost is the real world; tests hand in fakeHost (test/support/fake-host.ts) instead. */
export function createHost(options: { readonly quiet?: boolean | undefined } = {}): CreatedHost {
  const controller = new AbortController();
  // Every process, request and sleep listens to it: many at once are no leak.
  setMaxListeners(0, controller.signal);
  const work = new Set<() => Promise<void> | void>();
  const awaited = new Awaited();
  return {
    exec(command, args, given = {}) {
      const over = awaited.begin(`the command ${command}`);
      return exec(command, args, { signal: controller.signal, ...given }).finally(over);
    },
    fetch: makeFetch(controller.signal, process.env, awaited),
    awaited: () => awaited.list(),
    files: nodeFiles,
    clock: { now: () => new Date(), sleep: (ms, signal) => sleep(ms, signal ?? controller.signal) },
    env: process.env,
    progress: makeProgress(process.stderr, process.env, options.quiet),
    signal: controller.signal,
    hasCertificates: (registry) => hasCertificates(process.env, registry),
    onExit(piece) {
      work.add(piece);
      return () => work.delete(piece);
    },
    abort: (reason) => {
      controller.abort(new Error(reason));
    },
    async close() {
      for (const piece of [...work].reverse()) {
        work.delete(piece);
        await Promise.resolve()
          .then(piece)
          .catch((error: unknown) =>
            process.stderr.write(`${lineOut(`warning: clean-up failed: ${String(error)}`)}\n`),
          );
      }
    },
  };
}
