import { describe, expect, it } from 'vitest';
import {
  configShape,
  foldKey,
  nodeShape,
  parseDockerArchive,
  parseImageConfig,
  parseIndex,
  parseManifest,
  readJson,
  type Shape,
} from '../../src/core/index.ts';
import type { AppError } from '../../src/errors/index.ts';

function errorOf(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    return error as AppError;
  }
  throw new Error('nothing was thrown');
}

const read = (text: string, shape?: Shape) => readJson(Buffer.from(text), 'the document', { shape, file: 'x.json' });
const digest = `sha256:${'a'.repeat(64)}`;

describe('a document in which engines may see another image is refused', () => {
  it.each([
    ['{"User":"1000","user":"0"}', '$.user (1:16) beside $.User (1:2)'],
    ['{"config":{},\n "config":{}}', '$.config (2:2) beside $.config (1:2)'],
    ['{"a":[{},{"b":1,"B":2}]}', '$.a[1].B (1:17) beside $.a[1].b (1:11)'],
    ['{"k":1,"\u212a":2}', '$["\u212a"] (1:8) beside $.k (1:2)'],
    ['{"layers":1,"layer\u017f":2}', '$["layer\u017f"] (1:13) beside $.layers (1:2)'],
    ['{"layers":1,"l\\u0061yers":2}', '$.layers (1:13) beside $.layers (1:2)'],
    ['{"\\ud800":1,"\\udfff":2}', '$["\\udfff"] (1:13) beside $["\\ud800"] (1:2)'],
    ['{"__proto__":1,"__PROTO__":2}', '$.__PROTO__ (1:16) beside $.__proto__ (1:2)'],
    ['{"a":"}\\"{","b":{"x":[",",":"],"X":0}}', '$.b.X (1:32) beside $.b.x (1:18)'],
  ])('%s', (text, found) => {
    const error = errorOf(() => read(text));
    expect(error.code).toBe('core/json-keys');
    expect(error.facts.found).toBe(found);
    expect(error.facts.where).toMatchObject({ file: 'x.json' });
  });

  it('with line and column of the second key as the place', () => {
    const { facts } = errorOf(() => read('{\n  "a": 1,\n  "A": 2\n}'));
    expect(facts.where).toEqual({ file: 'x.json', line: 3, column: 3 });
  });

  it('also where one key alone has a name that only Go recognises', () => {
    const { code, facts } = errorOf(() => read('{"config":{"user":"0"}}', configShape));
    expect(code).toBe('core/json-keys');
    expect(facts).toMatchObject({ expected: '$.config.User', found: '$.config.user (1:12)' });
    expect(errorOf(() => read('{"schemaVersion":2,"manife\u017ft\u017f":[]}', nodeShape)).facts.expected).toBe(
      '$.manifests',
    );
  });

  it('by every parser of a document from outside', () => {
    const parsers = [parseManifest, parseIndex, parseImageConfig, parseDockerArchive];
    for (const parse of parsers) expect(errorOf(() => parse('[{"x":1,"X":2}]')).code).toBe('core/json-keys');
  });

  it('when it nests without end', () => {
    const error = errorOf(() => read('['.repeat(50_000) + ']'.repeat(50_000)));
    expect(error.code).toBe('core/json-depth');
  });

  it('when it is not UTF-8, or no JSON', () => {
    expect(errorOf(() => readJson(Buffer.from([0x22, 0xff, 0x22]), 'it')).code).toBe('core/oci-json');
    for (const text of ['', '{', '{"a":1,}', "{'a':1}", '// c\n{}', '\uFEFF{}', '{} {}', 'NaN'])
      expect(errorOf(() => read(text)).code).toBe('core/oci-json');
  });
});

describe('a document that every reader reads alike is read', () => {
  it('with keys that differ by more than case, at any depth', () => {
    const text = '{"a":{"b":1},"c":{"b":[{"b":2},{"b":3}]},"s":"\\"a\\": {","e":{}}';
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it('with labels and annotations that differ by case: those are keys of a Go map', () => {
    const labels = { Name: 'one', name: 'two' };
    const config = { architecture: 'amd64', os: 'linux', config: { Labels: labels } };
    const text = JSON.stringify({ ...config, rootfs: { type: 'layers', diff_ids: [] } });
    expect(parseImageConfig(text).config?.Labels).toEqual(labels);
    expect(errorOf(() => parseImageConfig(text.replace('"Name"', '"name"'))).code).toBe('core/json-keys');
  });

  it('with null where Go writes it', () => {
    expect(parseIndex('{"schemaVersion":2,"manifests":null,"annotations":null,"subject":null}')).toEqual({
      schemaVersion: 2,
      manifests: [],
    });
    const config = `{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${digest}","size":2,"annotations":null}`;
    expect(parseManifest(`{"schemaVersion":2,"config":${config},"layers":null,"manifests":null}`).layers).toEqual([]);
    const image = parseImageConfig(
      '{"created":null,"architecture":"amd64","os":"linux","config":null,"history":null,"rootfs":{"type":"layers","diff_ids":null}}',
    );
    expect(image.rootfs.diff_ids).toEqual([]);
    expect(parseDockerArchive('[{"Config":"c.json","RepoTags":null,"Layers":null}]')).toEqual([
      { Config: 'c.json', RepoTags: [], Layers: [] },
    ]);
  });
});

describe('a document of two kinds is refused', () => {
  it.each([
    ['layers beside manifests', { manifests: [], layers: [], config: {} }],
    ['a config beside manifests', { manifests: [], config: {} }],
    ["Docker's first schema beside layers", { layers: [], config: {}, fsLayers: [] }],
  ])('%s', (_name, members) => {
    const text = JSON.stringify({ schemaVersion: 2, ...members });
    for (const parse of [parseIndex, parseManifest]) expect(errorOf(() => parse(text)).code).toBe('core/oci-two-kinds');
  });
});

describe('foldKey', () => {
  it('folds what Unicode folds, character by character', () => {
    const changed = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code))
      .filter((character) => /^[^\p{Cs}]$/u.test(character) && foldKey(character) !== character)
      // Dotless i folds to i in Turkish only: refusing that pair costs no honest document.
      .filter((character) => character !== '\u0131');
    expect(changed.length).toBeGreaterThan(1_000);
    const unlike = changed.filter(
      (character) =>
        !new RegExp(`^\\u{${(character.codePointAt(0) ?? 0).toString(16)}}$`, 'iu').test(foldKey(character)),
    );
    expect(unlike).toEqual([]);
  });
});
