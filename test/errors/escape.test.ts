import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  AppErrors,
  commandData,
  commandProperty,
  errorToJson,
  markdownText,
  oneLine,
  renderError,
  shorten,
  visible,
  visibleText,
  xmlText,
} from '../../src/errors/index.ts';
import { commandsIn, hostile, raw } from './hostile.ts';

const pieces = fc.constantFrom(...hostile.map((text) => text.slice(0, 200)), '\n', '::', '##[', '\u001b[31m', 'a');
const anyText = fc.oneof(
  fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
/** The same cases in every run. */
const seeded = { seed: 13, numRuns: 400 };
const always = (holds: (text: string) => void): void => {
  for (const text of hostile) holds(text);
  fc.assert(fc.property(anyText, holds), seeded);
};

describe('text from outside', () => {
  it('is one line without a raw character and without a command', () => {
    always((text) => {
      const line = visible(text);
      expect(line).not.toMatch(raw);
      expect(line).not.toMatch(/[\t\n]/);
      expect(commandsIn(line)).toEqual([]);
    });
  });

  it('of several lines keeps its line breaks and tabs, and no line is a command', () => {
    always((text) => {
      const shown = visibleText(text);
      expect(shown).not.toMatch(raw);
      expect(commandsIn(shown)).toEqual([]);
      expect(shown.split('\n')).toHaveLength(text.split('\n').length);
    });
    expect(visibleText('a\tb\nc')).toBe('a\tb\nc');
  });

  it('shows what is harmless as it is, and what is not as its code', () => {
    expect(visible('café 日本 😀 a::b C:\\x #1 [y]')).toBe('café 日本 😀 a::b C:\\x #1 [y]');
    expect(visible('a\u001b[2J\nb\u202ec\u0085')).toBe('a\\u001b[2J\\nb\\u202ec\\u0085');
    expect(visible(' ::error::x ##[group]')).toBe(' \\u003a:error::x #\\u0023[group]');
  });

  it('is cut, and says how much is left out', () => {
    expect(visible('x'.repeat(5_000_000), 100)).toBe(`${'x'.repeat(100)}… (4999900 characters more)`);
    expect(shorten('a😀b', 2)).toBe('a… (3 characters more)');
  });

  it('keeps our own colours where they are meant, and no other sequence', () => {
    expect(visibleText('\u001b[31merror\u001b[0m \u001b[2J\u001b[8m', 'painted')).toBe(
      '\u001b[31merror\u001b[0m \\u001b[2J\\u001b[8m',
    );
  });

  it('in JSON is the same value, still valid', () => {
    always((text) => {
      const json = visibleText(JSON.stringify({ text }, null, 2));
      expect(json).not.toMatch(raw);
      expect(commandsIn(json)).toEqual([]);
      expect(JSON.parse(json)).toEqual({ text });
    });
  });
});

describe('workflow commands', () => {
  it('of ours stay, with data that begins no other', () => {
    always((text) => {
      const line = `::error file=${commandProperty(text)},title=x::${commandData(text)}`;
      expect(line).not.toMatch(/[\n\r]/);
      expect(visibleText(line, 'commands')).toBe(line);
      expect(line.slice('::error file='.length).split('::')[0]?.split(',')).toHaveLength(2);
      expect(line).not.toMatch(/##\[/);
    });
  });

  it('of others do not pass as ours', () => {
    expect(visibleText('::add-mask::x\n::error file=a::b\n ::stop-commands::t', 'commands')).toBe(
      '\\u003a:add-mask::x\n::error file=a::b\n \\u003a:stop-commands::t',
    );
  });
});

describe('Markdown and XML', () => {
  it('Markdown has no table bar, link, HTML, mention or reference of theirs', () => {
    always((text) => {
      const shown = markdownText(text);
      expect(shown).not.toMatch(raw);
      expect(shown).not.toMatch(/[<>\n]|@|(?<!\\)(?:\\\\)*[|[\]`]|:\/\/|www\.(?!&#8203;)/i);
      expect(shown.replaceAll(/&#(?:64|8203);/g, '_')).not.toMatch(/#\d/);
    });
    expect(markdownText('@team #12')).toBe('&#64;&#8203;team \\#&#8203;12');
  });

  it('XML has nothing that XML 1.0 forbids, and no markup', () => {
    always((text) => {
      const shown = xmlText(text);
      expect(shown).not.toMatch(raw);
      expect(shown).not.toMatch(/[<>"'\n\t\ufffe\uffff]/);
    });
  });
});

describe('an error with text from outside', () => {
  it('has no line that the outside wrote: what it says stays behind our words', () => {
    always((text) => {
      const error = new AppError('a/b', 'upstream', `the registry said ${text}`, {
        expected: text,
        found: text,
        hint: text,
        where: { file: text },
        cause: new Error(text, { cause: text }),
      });
      const shown = renderError(new AppErrors([error, error]));
      expect(shown).not.toMatch(raw);
      expect(commandsIn(shown)).toEqual([]);
      expect(shown.length).toBeLessThan(100_000);
      for (const line of shown.split('\n'))
        expect(line).toMatch(/^(?:error: |  (?:expected:|found: |because:|do: |code: ) | {12})/);
      expect(oneLine(error)).not.toMatch(/\n/);
      expect(JSON.stringify(errorToJson(error)).length).toBeLessThan(200_000);
    });
  });

  it('that nobody foresaw is indented, too', () => {
    const shown = renderError(new Error('x\nREF is proven\n::error::y'));
    for (const line of shown.split('\n').slice(1)) expect(line).toMatch(/^ {2}/);
    expect(commandsIn(shown)).toEqual([]);
  });
});
