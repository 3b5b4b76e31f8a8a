import type { Host } from '../host/index.ts';
import { RegistryError, type Failure } from './failure.ts';
import { withRetry, type Attempt as Outcome, type RetryPolicy } from '../core/retry.ts';

export type Attempt<T> = Outcome<T, Failure>;

export interface Task {
  /** As in "could not …". */
  readonly doing: string;
  /** Registry and repository. */
  readonly where: string;
  readonly policy: RetryPolicy;
  /** Makes other requests to the same host wait, too. */
  readonly pause?: ((milliseconds: number) => void) | undefined;
}

/** attempts runs one attempt after the other until one works or none is worth trying. Throws RegistryError. */
export async function attempts<T>(host: Host, task: Task, once: (attempt: number) => Promise<Attempt<T>>): Promise<T> {
  const giveUp = (failure: Failure, attempt: number): RegistryError =>
    new RegistryError(failure, task.doing, task.where, attempt);
  const wait = async (failure: Failure, milliseconds: number, attempt: number): Promise<void> => {
    if (host.signal.aborted) throw giveUp(failure, attempt);
    host.progress.say(`${task.where}: ${failure.said}; trying again in ${(milliseconds / 1000).toFixed(1)} s`);
    if (failure.code === 'rate-limited') task.pause?.(milliseconds);
    await host.clock.sleep(milliseconds, host.signal);
  };
  return await withRetry(task.policy, { giveUp, wait }, once);
}
