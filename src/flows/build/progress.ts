import type { BuildEvent } from '../../engines/index.ts';
import type { ProgressTask } from '../../host/index.ts';

const longest = 100;

/**
 * stepProgress shows the steps of one platform's build as they start, each once; the output of a failing step comes
 * with the error.
 */
export function stepProgress(task: ProgressTask): (event: BuildEvent) => void {
  const shown = new Set<string>();
  let cached = 0;
  return (event) => {
    if (event.$case === 'cached') cached += 1;
    if (event.$case !== 'started') return;
    const count =
      event.step === undefined ? '' : `${event.stage ?? ''} ${event.step}/${event.total ?? '?'} `.trimStart();
    const line = `${count}${event.name.replaceAll(/\s+/g, ' ')}`.slice(0, longest);
    if (shown.has(line)) return;
    shown.add(line);
    task.step(cached === 0 ? line : `${line} (${cached} cached)`);
  };
}
