import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readUpstream } from '../../src/config/index.ts';
import type { UpstreamRecord } from '../../src/core/index.ts';
import { upstreamFindings } from '../../src/flows/upstream.ts';
import { compareUpstream, verifyUpstream, type ImageParts, type UpstreamClone } from '../../src/pins/index.ts';
import { codes } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';
import { committed, root } from '../dockerfile/definitions.ts';

const id = (letter: string): string => letter.repeat(40);
const file = 'images/upstream.yaml';

const small = `repository: https://example.com/upstream
commit: ${id('a')}
path: runner
tree: ${id('b')}
evidence: [{ kind: git-object, source: a clone, seen: 2026-11-28 }]
dockerfiles:
  - file: Dockerfile
    object: ${id('c')}
    image: small
    lines: 4
    between: [2]
    instructions:
      - { lines: 1, keyword: FROM, digest: '${'1'.repeat(16)}', does: the base, by: [{ pin: ubi10 }] }
      - lines: 3-4
        keyword: RUN
        digest: '${'2'.repeat(16)}'
        does: packages
        by: [{ fragment: rpms, instruction: RUN }, { label: name }]
        omitted: [glab]
files:
  - { path: settings.json, object: '${id('d')}', does: settings, by: [{ file: images/small/rootfs/s.json, same: true }] }
  - { path: tests, object: '${id('e')}', does: tests, note: do not run }
`;

const image: ImageParts = {
  image: 'small',
  fragments: new Map([['rpms', 'RUN dnf install\n']]),
  files: new Set(['images/small/rootfs/s.json']),
  pins: new Set(['ubi10']),
  labels: new Set(['name']),
  omitted: new Set(['glab']),
};
const objects = new Map([['images/small/rootfs/s.json', id('d')]]);
const read = (text: string): UpstreamRecord => readUpstream(text, file).value;
const verify = (text: string, more: { images?: ImageParts[]; objects?: Map<string, string> } = {}): string[] =>
  verifyUpstream({ file, record: read(text), images: [image], objects, ...more }).map(
    ({ rule, subject }) => `${rule.replace('pins/', '')} ${subject}`,
  );

describe("the project's record", () => {
  it('accounts for every line and file of upstream, and names only what is there', async () => {
    expect(await upstreamFindings(fakeHost(), root, committed)).toEqual([]);
  });

  it('names two Dockerfiles with every instruction, and the files that must be the same', () => {
    const record = read(readFileSync(join(root, file), 'utf8'));
    const counts = record.dockerfiles.map((one) => [one.file, one.instructions.length]);
    expect(counts).toEqual([
      ['Dockerfile.openshell', 42],
      ['Dockerfile', 35],
    ]);
    const same = record.files.filter(({ by }) => by.some((one) => 'file' in one && one.same === true));
    expect(same.map(({ path }) => path).sort()).toEqual([
      'claude-settings-local.json',
      'claude-settings.json',
      'claude.json',
      'mcp.json',
    ]);
  });

  it('every omission of an image is what an instruction or a file of upstream asked for', () => {
    const record = read(readFileSync(join(root, file), 'utf8'));
    const accounts = [...record.files, ...record.dockerfiles.flatMap(({ instructions }) => instructions)];
    const named = new Set(accounts.flatMap(({ omitted }) => omitted));
    const all = committed.images.flatMap((one) => [...one.omitted, ...one.variants.flatMap(({ omitted }) => omitted)]);
    expect(all.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('a record', () => {
  it('that is sound has no finding', () => {
    expect(verify(small)).toEqual([]);
  });

  it.each([
    [
      'a line in no account',
      small.replace('between: [2]', 'between: []'),
      'upstream-lines Dockerfile line 2 unaccounted',
    ],
    [
      'the last line in no account',
      small.replace('lines: 4', 'lines: 5'),
      'upstream-lines Dockerfile line 5 unaccounted',
    ],
    [
      'a line in two accounts',
      small.replace('between: [2]', 'between: [2-3]'),
      'upstream-lines Dockerfile line 3 accounted twice, or past the end',
    ],
    [
      'an instruction without a word',
      small.replace(', by: [{ pin: ubi10 }]', ''),
      'upstream-unaccounted Dockerfile line 1 FROM',
    ],
    ['a file without a word', small.replace(', note: do not run', ''), 'upstream-unaccounted tests'],
    [
      'a pin that no variant takes',
      small.replace('pin: ubi10', 'pin: ubi9'),
      'upstream-reference Dockerfile line 1 FROM',
    ],
    [
      'a fragment that the image does not have',
      small.replace('fragment: rpms', 'fragment: debs'),
      'upstream-reference Dockerfile lines 3-4 RUN',
    ],
    [
      'an instruction that the fragment does not have',
      small.replace('instruction: RUN', 'instruction: COPY'),
      'upstream-reference Dockerfile lines 3-4 RUN',
    ],
    ['a label', small.replace('label: name', 'label: nome'), 'upstream-reference Dockerfile lines 3-4 RUN'],
    ['an omission', small.replace('[glab]', '[glub]'), 'upstream-reference Dockerfile lines 3-4 RUN'],
    ['a file of ours', small.replace('rootfs/s.json', 'rootfs/t.json'), 'upstream-reference settings.json'],
    ['an image', small.replace('image: small', 'image: large'), 'upstream-reference Dockerfile'],
  ])('with %s that is not there has one finding', (_, text, expected) => {
    expect(verify(text)).toEqual([expected]);
  });

  it('asks for the very bytes of a file that must be the same', () => {
    const found = ['upstream-differs settings.json'];
    expect(verify(small, { objects: new Map([['images/small/rootfs/s.json', id('f')]]) })).toEqual(found);
    expect(verify(small, { objects: new Map() })).toEqual(found);
  });

  it.each([
    ['a misspelt key', small.replace('does: tests', 'do: tests'), 'config/unknown-key'],
    ['lines that end before they begin', small.replace('3-4', '4-3'), 'config/value'],
    ['no evidence', small.replace(/evidence: .*/, 'evidence: []'), 'config/value'],
    ['half a digest', small.replace('1'.repeat(16), '1'.repeat(8)), 'config/value'],
    ['`same` of an instruction', small.replace('{ pin: ubi10 }', '{ file: a, same: true }'), 'config/unknown-key'],
    ['a path out of the project', small.replace('images/small', '../small'), 'config/value'],
  ])('with %s is refused with its place', (_, text, code) => {
    expect(codes(() => read(text))).toContain(code);
  });
});

describe('a clone', () => {
  const clone: UpstreamClone = {
    commit: id('9'),
    tree: id('b'),
    files: [
      { path: 'Dockerfile', object: id('c') },
      { path: 'settings.json', object: id('d') },
      { path: 'tests', object: id('e') },
    ],
    instructions: new Map([
      [
        'Dockerfile',
        [
          { keyword: 'FROM', digest: '1'.repeat(16), lines: [7, 7] },
          { keyword: 'RUN', digest: '2'.repeat(16), lines: [9, 10] },
        ],
      ],
    ]),
  };
  const moved = (more: Partial<UpstreamClone>): string[] =>
    compareUpstream(file, read(small), { ...clone, ...more }).map(({ message }) => message.replace(/ at 9+$/, ''));

  it('that only moved lines has no finding', () => {
    expect(moved({})).toEqual([]);
  });

  it('reports what is new, changed and gone', () => {
    expect(
      moved({
        files: [
          { path: 'Dockerfile', object: id('8') },
          { path: 'new.py', object: id('7') },
          { path: 'tests', object: id('e') },
        ],
        instructions: new Map([['Dockerfile', [{ keyword: 'RUN', digest: '3'.repeat(16), lines: [9, 10] }]]]),
      }),
    ).toEqual([
      'Dockerfile line 1 FROM: changed or gone',
      'Dockerfile lines 3-4 RUN: changed or gone',
      'Dockerfile lines 9-10 RUN: new or changed, digest 3333333333333333',
      `Dockerfile: changed, object ${id('8')}`,
      `new.py: new, object ${id('7')}`,
      'settings.json: gone',
    ]);
  });

  it('an instruction that stands twice has to be there twice', () => {
    const from = { keyword: 'FROM', digest: '1'.repeat(16), lines: [1, 1] as const };
    const run = { keyword: 'RUN', digest: '2'.repeat(16), lines: [3, 4] as const };
    expect(moved({ instructions: new Map([['Dockerfile', [from, from, run]]]) })).toEqual([
      'Dockerfile line 1 FROM: new or changed, digest 1111111111111111',
    ]);
  });
});
