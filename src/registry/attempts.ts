import type { Host } from '../host/index.ts';
import { RegistryError, type Failure } from './failure.ts';
import { backoff, type RetryPolicy } from '../core/retry.ts';

/** What one attempt ends in: a value, or a failure that may be worth another attempt. */
export type Attempt<T> =
  { readonly $case: 'done'; readonly value: T } | { readonly $case: 'failed'; readonly failure: Failure };

export interface Task {
  /** As in "could not …". */
  readonly doing: string;
  /** Registry and repository. */
  readonly where: string;
  readonly policy: RetryPolicy;
  /** Tells others that share the host how long to keep quiet. */
  readonly pause?: (milliseconds: number) => void;
}

/** attempts runs one attempt after the other until one works or none is worth trying. Throws RegistryError. */
export async function attempts<T>(host: Host, task: Task, once: (attempt: number) => Promise<Attempt<T>>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await once(attempt);
    if (outcome.$case === 'done') return outcome.value;
    const { failure } = outcome;
    const asked = failure.wait ?? 0;
    if (host.signal.aborted || !failure.retry || attempt >= task.policy.attempts || asked > task.policy.longestWait)
      throw new RegistryError(failure, task.doing, task.where, attempt);
    const wait = Math.max(asked, backoff(task.policy, attempt));
    host.story.say(`${task.where}: ${failure.said}; trying again in ${(wait / 1000).toFixed(1)} s`);
    if (failure.code === 'rate-limited') task.pause?.(wait);
    await host.clock.sleep(wait, host.signal);
  }
}
