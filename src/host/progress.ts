import { visibleText } from '../errors/index.ts';
import { lineOut, type Sink } from './output.ts';
import type { Progress, ProgressTask } from './types.ts';

/**
 * makeProgress writes progress to stderr. On a terminal the running tasks share the last lines,
 * which are redrawn in place; elsewhere every step is one plain line, so that a CI log reads well. What is shown comes
 * from tools and registries as often as from here: all of it is escaped before it is painted.
 */
export function makeProgress(output: Sink, env: Readonly<Record<string, string | undefined>>, quiet = false): Progress {
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
    say: (line) => {
      print(lineOut(line));
    },
    show: (text, kind) => {
      print(visibleText(text, kind));
    },
    warn: (text) => {
      const [line = '', ...details] = typeof text === 'string' ? [text] : text;
      erase();
      output.write(`${[`${paint(33, 'warning:')} ${lineOut(line)}`, ...details.map(lineOut)].join('\n')}\n`);
      draw();
    },
    task(given): ProgressTask {
      const title = lineOut(given);
      const id = next++;
      const started = Date.now();
      const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
      const end = (mark: string, text: string | undefined) => {
        running.delete(id);
        print(`${mark} ${title}${text === undefined ? '' : `: ${lineOut(text)}`} (${seconds()})`);
      };
      const step = (text: string) => {
        if (!live) {
          print(lineOut(`  ${title}: ${text}`));
          return;
        }
        erase();
        running.set(id, lineOut(`… ${title}: ${text}`));
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
