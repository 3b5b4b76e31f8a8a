import type { BuildEvent } from '../../engines/index.ts';
import type { StoryTask } from '../../host/index.ts';

const longest = 100;

/**
 * stepTeller turns engine events into the story of one platform: each step once when it starts and, where
 * nobody watches a terminal, nothing of its output; a failing step's output comes with the error.
 */
export function stepTeller(task: StoryTask): (event: BuildEvent) => void {
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
