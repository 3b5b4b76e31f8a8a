import { describe, expect, it } from 'vitest';
import { makeConsole } from '../../src/host/index.ts';
import { makeProgress } from '../../src/host/progress.ts';
import { commandsIn, hostile, raw } from '../errors/hostile.ts';

/** A stream that keeps what is written to it. */
function sink(isTTY = false) {
  const parts: string[] = [];
  return { isTTY, columns: 100, write: (text: string) => void parts.push(text), written: () => parts.join('') };
}
/** What makeProgress itself writes to redraw and to paint. */
const own = /\u001b\[(?:\d+A|0J|0m|3[123]m)/g;

describe('results on stdout', () => {
  it('a printed line is one line, whatever is in it', () => {
    const out = sink();
    for (const text of hostile) makeConsole(out).print(`refused: ${text}`);
    expect(out.written()).not.toMatch(raw);
    expect(out.written().trimEnd().split('\n')).toHaveLength(hostile.length);
    expect(out.written().length).toBeLessThan(20_000);
  });

  it('a document is no command, and JSON stays what it was', () => {
    const out = sink();
    for (const text of hostile) makeConsole(out).document(text);
    expect(out.written()).not.toMatch(raw);
    expect(commandsIn(out.written())).toEqual([]);
    const json = sink();
    makeConsole(json).json({ hostile });
    expect(json.written()).not.toMatch(raw);
    expect(JSON.parse(json.written())).toEqual({ hostile });
  });
});

describe('progress on stderr', () => {
  it.each([
    ['a log', false, { CI: 'true' }],
    ['a terminal', true, {}],
  ])('in %s has one line for each call, and nothing raw from outside', (_where, isTTY, env) => {
    const out = sink(isTTY);
    const progress = makeProgress(out, env);
    for (const text of hostile) {
      progress.say(text);
      progress.warn([text, text]);
      const task = progress.task(text);
      task.step(text);
      task.done(text);
      progress.task('pushing').fail(text);
    }
    const written = out.written().replace(own, '');
    expect(written).not.toMatch(raw);
    expect(commandsIn(written)).toEqual([]);
    const said = sink();
    for (const text of hostile) makeProgress(said, {}).say(text);
    expect(said.written().trimEnd().split('\n')).toHaveLength(hostile.length);
  });

  it('shows the annotations that are ours, and no others', () => {
    const out = sink();
    makeProgress(out, {}).show('::error file=a::b\n::add-mask::c', 'commands');
    expect(out.written()).toBe('::error file=a::b\n\\u003a:add-mask::c\n');
  });
});
