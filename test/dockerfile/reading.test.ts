import { describe, expect, test } from 'vitest';
import {
  expandGlobals,
  imageReferences,
  mountsOf,
  readDockerfile,
  splitReference,
} from '../../src/dockerfile/index.ts';
import { fillTemplate } from '../../src/dockerfile/render-template.ts';

const read = (...lines: readonly string[]) => readDockerfile(`${lines.join('\n')}\n`);
/** The instructions of the last stage: keyword, then the words. */
const instructions = (...lines: readonly string[]): string[][] =>
  (read('FROM a', ...lines).stages.at(-1)?.instructions ?? []).map(({ keyword, words }) => [
    keyword,
    ...words.map(({ text }) => text.value),
  ]);

describe('an instruction', () => {
  test.each([
    ['behind a byte order mark', ['\uFEFFFROM a', 'RUN b'], 1],
    ['of ONBUILD, which is none of this file', ['FROM a', 'ONBUILD FROM b'], 1],
    ['after another stage', ['FROM a', 'FROM b'], 2],
  ])('FROM %s', (_name, lines, stages) => {
    expect(read(...lines).stages).toHaveLength(stages);
  });

  test.each([
    ['two lines', ['RUN a \\', 'b'], [['RUN', 'a b']]],
    ['lines with comments between them', ['RUN a \\', '# c', 'b'], [['RUN', 'a b']]],
    [
      'one line behind two escapes',
      ['RUN a \\\\', 'RUN b'],
      [
        ['RUN', 'a \\\\'],
        ['RUN', 'b'],
      ],
    ],
  ])('of %s', (_name, lines, expected) => {
    expect(instructions(...lines)).toEqual(expected);
  });

  test.each([
    ['its escape character is `', ['# escape=`', 'FROM a', 'RUN b `', 'c'], 1],
    ['its escape character is ` behind a byte order mark', ['\uFEFF# escape=`', 'FROM a', 'RUN b `', 'c'], 1],
    ['its escape character is the usual one', ['FROM a', 'RUN b \\', 'c'], 1],
    ['what is behind another comment is no directive', ['# x', '# escape=`', 'FROM a', 'RUN b \\', 'c'], 1],
  ])('goes on where %s', (_name, lines, count) => {
    expect(read(...lines).stages[0]?.instructions).toHaveLength(count);
  });

  test.each([
    ['a here-document', ['RUN <<E', 'FROM b', 'E', 'RUN c'], ['RUN', 'RUN']],
    ['two of them', ['RUN <<E <<F', 'FROM b', 'E', 'FROM c', 'F', 'RUN c'], ['RUN', 'RUN']],
    ['one with tabs before its end', ['RUN <<-E', 'FROM b', '\tE', 'RUN c'], ['RUN', 'RUN']],
    ['one in quotes, which is none', ['RUN "<<E"', 'RUN c', 'E'], ['RUN', 'RUN', 'E']],
    ['one behind a quote that stays open, which is none', ["RUN it's <<E", 'RUN c', 'E'], ['RUN', 'RUN', 'E']],
    ['one without an end, which is none', ['RUN <<E', 'RUN c'], ['RUN', 'RUN']],
    ['one of an instruction that has none', ['ENV a=<<E', 'RUN c', 'E'], ['ENV', 'RUN', 'E']],
  ])('with %s', (_name, lines, expected) => {
    expect(instructions(...lines).map(([keyword]) => keyword)).toEqual(expected);
  });
});

describe('words', () => {
  test.each([
    ['an escaped blank, which parts them all the same', 'a\\ b', ['a', 'b']],
    ['double quotes, in which an escape counts', '"a\\"b" c', ['a"b', 'c']],
    ['single quotes, in which it does not', "'a\\' b", ['a\\', 'b']],
    ['quotes in the middle, which hold nothing together', 'a"b c"d', ['a"b', 'c"d']],
    ['a JSON array', '["a", "b c", "\\u0064"]', ['a', 'b c', 'd']],
    ['a JSON array of something else', '["a", 1]', ['[a,', '1]']],
    ['no JSON', '["a"', ['[a']],
  ])('of %s', (_name, text, expected) => {
    expect(instructions(`COPY ${text}`)).toEqual([['COPY', ...expected]]);
  });

  test.each([
    [
      'ENV a=1 b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['ENV a one value', [['a', 'one value']]],
    ['ENV a', [['a', undefined]]],
    ['ARG a', [['a', undefined]]],
    [
      'ARG a b=c',
      [
        ['a', undefined],
        ['b', 'c'],
      ],
    ],
    ['LABEL a=', [['a', '']]],
  ])('%s declares', (line, expected) => {
    const [instruction] = read('FROM x', line).stages[0]?.instructions ?? [];
    expect(instruction?.declared.map(({ name, value }) => [name, value?.text.value])).toEqual(expected);
  });
});

describe('an image is named by', () => {
  const named = (...lines: readonly string[]): string[] =>
    [...imageReferences(read(...lines))].map(({ place, word }) => `${place} ${word.text.value}`);

  test.each<[string, string[], string[]]>([
    ['FROM', ['FROM a'], ['FROM a']],
    ['COPY --from', ['FROM scratch', 'COPY --from=b x y'], ['COPY --from b']],
    ['ADD --from', ['FROM scratch', 'ADD --from=b x y'], ['ADD --from b']],
    ['RUN --mount', ['FROM scratch', 'RUN --mount=type=bind,from=b,target=/x y'], ['RUN --mount from b']],
    ['a number that is no stage', ['FROM scratch', 'COPY --from=1 x y'], ['COPY --from 1']],
    ['the number of its own stage', ['FROM scratch', 'COPY --from=0 x y'], ['COPY --from 0']],
    ['a stage that comes later', ['FROM scratch', 'COPY --from=b x y', 'FROM scratch AS b'], ['COPY --from b']],
    ['an argument that is no platform’s', ['FROM scratch AS b-x', 'FROM b-$A'], ['FROM b-$A']],
    ['a name that no platform completes', ['FROM scratch AS b-x', 'FROM c-$TARGETARCH'], ['FROM c-$TARGETARCH']],
  ])('%s', (_name, lines, expected) => {
    expect(named(...lines)).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ['an earlier stage by its name in any case', ['FROM scratch AS B', 'FROM b', 'COPY --from=b x y']],
    ['an earlier stage by its number', ['FROM scratch', 'FROM scratch', 'COPY --from=0 x y']],
    ['a stage for each platform', ['FROM scratch AS b-amd64', 'FROM b-$TARGETARCH']],
    ['nothing', ['FROM SCRATCH']],
  ])('no reference to %s', (_name, lines) => {
    expect(named(...lines)).toEqual([]);
  });

  test.each([
    ['localhost:5000/a', 'localhost:5000/a', undefined, undefined],
    ['localhost:5000/a:1', 'localhost:5000/a', '1', undefined],
    ['a:1@sha256:b', 'a', '1', 'sha256:b'],
    ['a@sha256:b', 'a', undefined, 'sha256:b'],
    ['a', 'a', undefined, undefined],
  ])('%s: name, tag and digest', (text, name, tag, digest) => {
    expect(splitReference(text)).toEqual({ name, tag, digest });
  });
});

describe('global arguments', () => {
  const base = (...lines: readonly string[]): string => {
    const model = read(...lines);
    const word = model.stages[0]?.base;
    return word === undefined ? 'none' : expandGlobals(model, word);
  };
  test.each([
    ['a default', ['ARG A=x', 'FROM $A:1'], 'x:1'],
    ['a default of defaults', ['ARG A=x', 'ARG B=${A}y', 'FROM ${B}'], 'xy'],
    ['the fallback where there is no default', ['ARG A', 'FROM ${A:-z}'], 'z'],
    ['nothing where there is neither', ['FROM $A'], '$A'],
  ])('are filled in with %s', (_name, lines, expected) => {
    expect(base(...lines)).toBe(expected);
  });

  /** Doubled again and again: 2^n characters. */
  const doubled = (times: number): string[] => [
    'ARG A0=x',
    ...Array.from({ length: times }, (_none, at) => `ARG A${at + 1}=$A${at}$A${at}`),
    `FROM $A${times}`,
  ];
  test('are filled in up to 4,096 characters', () => {
    expect(base(...doubled(12))).toBe('x'.repeat(4096));
  });

  test('that double each other further stay as they are written', () => {
    expect(base(...doubled(13)).length).toBeLessThan(4096);
  });
});

test.each([
  ['type=bind,from=a,source=b,dst=/c', { type: 'bind', from: 'a', source: 'b', target: '/c' }],
  ['type=cache,destination=/c,ro', { type: 'cache', target: '/c', ro: '' }],
])('a mount %s', (text, expected) => {
  const [instruction] = read('FROM a', `RUN --mount=${text} x`).stages[0]?.instructions ?? [];
  const [mount] = instruction === undefined ? [] : mountsOf(instruction, '\\');
  expect(Object.fromEntries([...(mount ?? [])].map(([key, word]) => [key, word.text.value]))).toEqual(expected);
});

describe('a value of a template', () => {
  const fill = (value: string, name = 'pin.version') => {
    const fragment = { file: 'f', pins: ['pin'] } as unknown as Parameters<typeof fillTemplate>[1];
    const { text, errors } = fillTemplate({ text: `A={{${name}}}`, line: 1 }, fragment, new Map([[name, value]]));
    return errors.map(({ code }) => code).join() || text;
  };

  test.each(['1.2', 'a/b@sha256:c', ''])('may be %j', (value) => {
    expect(fill(value)).toBe(`A=${value}`);
  });

  test.each(['a b', 'a"b', "a'b", 'a$b', 'a`b', 'a\\b', 'a\nb', 'a;b', 'a&b', 'a|b', 'a#b', 'a<b', 'a(b', 'é'])(
    'may not be %j',
    (value) => {
      expect(fill(value)).toBe('dockerfile/unsafe-value');
    },
  );

  test('may be several words where it is a list of packages', () => {
    expect(fill('a b', 'pin.packages')).toBe('A=a \\\n        b');
  });

  test.each(['a  b', 'a b;c', 'a $b', ' a'])('may not be %j where it is one', (value) => {
    expect(fill(value, 'pin.packages')).toBe('dockerfile/unsafe-value');
  });
});
