import { describe, expect, it } from 'vitest';
import { AppErrors, AppError, formatWhere } from '../../src/errors/index.ts';
import { mergePolicy, readFragment, readImage, readPins } from '../../src/config/index.ts';

function problems(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    const all = error instanceof AppErrors ? error.errors : error instanceof AppError ? [error] : [];
    return all.map(
      (one) => `${one.facts.where === undefined ? '' : formatWhere(one.facts.where)} ${one.code} ${one.message}`,
    );
  }
  return [];
}

const gh = `pins:
  gh:
    kind: release
    repository: https://github.com/cli/cli
    version: 2.74.0
    url: "https://example.test/v{version}/gh_{arch}.tar.gz"
    checksumFile: checksums/gh/2.74.0.sha256
    policy: {}
    evidence: [{ kind: recorded, source: somebody }]
`;

describe('strict YAML', () => {
  it('reads a sound pins file', () => {
    expect([...readPins(gh, 'p.yaml').value.entries.keys()]).toEqual(['gh']);
  });

  it('reports every problem at once, each with file:line:column', () => {
    const text = gh
      .replace('2.74.0\n', '[1]\n')
      .replace('policy: {}', 'polcy: {}')
      .replace('kind: recorded', 'kind: heard');
    const found = problems(() => readPins(text, 'p.yaml'));
    expect(found).toHaveLength(4);
    expect(found.join('\n')).toContain('p.yaml:5:14 config/value pins.gh.version');
    expect(found.join('\n')).toContain('p.yaml:8:5 config/unknown-key unknown key "polcy"');
    expect(found.join('\n')).toMatch(/p\.yaml:9:24 config\/value pins\.gh\.evidence\.0\.kind/);
    expect(found.join('\n')).toContain('pins.gh.policy');
  });

  it('refuses a duplicate key where the second one stands', () => {
    expect(problems(() => readPins(`${gh}  gh:\n    kind: action\n`, 'p.yaml'))[0]).toMatch(
      /^p\.yaml:10:3 config\/yaml .*unique/,
    );
  });

  it('refuses aliases, and YAML that does not parse', () => {
    const alias = gh.replace('policy: {}', 'policy: &p {}') + '  other: *p\n';
    expect(problems(() => readPins(alias, 'p.yaml'))[0]).toContain('anchors and aliases');
    expect(problems(() => readPins('pins: [', 'p.yaml'))[0]).toContain('config/yaml');
  });

  it.each([
    [
      'a malformed digest',
      'kind: image, repository: quay.io/a/b, version: "1", digest: sha256:abc',
      'malformed digest',
    ],
    [
      'a reference without a host',
      'kind: image, repository: a/b, version: "1", digest: sha256:abc',
      'no registry host',
    ],
    ['a version with a space', 'kind: python, version: "3 14", installedBy: uv', 'must be a version'],
    ['an unknown kind', 'kind: floppy', 'kind'],
  ])('refuses %s', (_name, fields, message) => {
    const text = `pins:\n  x: { ${fields}, policy: {}, evidence: [{ kind: recorded, source: s }] }\n`;
    expect(problems(() => readPins(text, 'p.yaml')).join('\n')).toContain(message);
  });

  it('refuses an unknown platform of an image', () => {
    const text = 'image: a\nprofile: openshell\nplatforms: [linux/s390x]\nbase: b\nfragments: [c]\nvariants: []\n';
    expect(problems(() => readImage(text, 'i.yaml'))[0]).toMatch(/^i\.yaml:3:13 config\/value platforms\.0/);
  });
});

describe('fragments', () => {
  it('tells lines of the whole file, also for front matter', () => {
    const text = '---\ndescription: a\nprovide: [/x]\n---\n#: final\nEXPOSE 1\n';
    expect(problems(() => readFragment(text, 'f', 'f'))).toEqual(['f:3:1 config/unknown-key unknown key "provide"']);
  });

  it('refuses unknown markers, text outside a section and missing front matter', () => {
    const text = '---\ndescription: a\n---\nRUN a\n#: finale\n';
    expect(problems(() => readFragment(text, 'f', 'f'))).toHaveLength(2);
    expect(problems(() => readFragment('RUN a\n', 'f', 'f'))[0]).toContain('no front matter');
  });
});

describe('policy parts', () => {
  it('join maps by key and lists without repetition, the same bytes each time', () => {
    const parts = [
      { file: 'base', text: 'version: 1\npolicies:\n  a: { binaries: [{ path: /x }] }\n' },
      { file: 'agent', text: 'policies:\n  a: { binaries: [{ path: /x }, { path: /y }] }\n  b: { name: b }\n' },
    ];
    const text = mergePolicy(parts, 'v');
    expect(text.match(/path: \/x/g)).toHaveLength(1);
    expect(text).toContain('path: /y');
    expect(text).toBe(mergePolicy(parts, 'v'));
  });

  it('are refused where they contradict each other', () => {
    const parts = [
      { file: 'base', text: 'version: 1\n' },
      { file: 'agent', text: 'version: 2\n' },
    ];
    expect(problems(() => mergePolicy(parts, 'v'))[0]).toMatch(/^agent:1:10 config\/policy-conflict/);
  });
});
