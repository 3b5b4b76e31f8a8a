import type { Story, StoryTask } from './types.ts';

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/**
 * makeStory writes progress to stderr. On a terminal the running tasks share the last lines,
 * which are redrawn in place; elsewhere every step is one plain line, so that a CI log reads well.
 */
export function makeStory(output: Output, env: Readonly<Record<string, string | undefined>>, quiet = false): Story {
  const live = output.isTTY === true && env['CI'] === undefined && env['TERM'] !== 'dumb';
  const colour = output.isTTY === true && env['NO_COLOR'] === undefined;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const running = new Map<number, string>();
  let next = 0;
  let drawn = 0;

  const erase = () => {
    if (drawn > 0) output.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    if (!live) return;
    const width = (output.columns ?? 80) - 1;
    for (const line of running.values()) output.write(`${line.slice(0, width)}\n`);
    drawn = running.size;
  };
  const print = (line: string) => {
    if (quiet) return;
    erase();
    output.write(`${line}\n`);
    draw();
  };
  return {
    say: print,
    warn: (line) => {
      erase();
      output.write(`${paint(33, 'warning:')} ${line}\n`);
      draw();
    },
    task(title): StoryTask {
      const id = next++;
      const started = Date.now();
      const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
      const end = (mark: string, text: string | undefined) => {
        running.delete(id);
        print(`${mark} ${title}${text === undefined ? '' : `: ${text}`} (${seconds()})`);
      };
      const step = (text: string) => {
        if (!live) {
          print(`  ${title}: ${text}`);
          return;
        }
        erase();
        running.set(id, `… ${title}: ${text}`);
        draw();
      };
      if (live) step('');
      return {
        step,
        done: (text) => {
          end(paint(32, '✓'), text);
        },
        fail: (text) => {
          end(paint(31, '✗'), text);
        },
      };
    },
  };
}
