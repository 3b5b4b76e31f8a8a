import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from 'prettier';
import { afterEach, describe, expect, it } from 'vitest';
import { parseDigest, type ActionPin, type PinEvidence, type ImagePin, type PinPolicy } from '../../src/core/index.ts';
import { actionChanges } from '../../src/flows/bump/action-files.ts';
import { changelog } from '../../src/flows/bump/index.ts';
import { editPins } from '../../src/flows/bump/edit-pins.ts';
import { FirstSeen } from '../../src/flows/bump/first-seen.ts';
import { isFloating, versionOfTag } from '../../src/core/version.ts';
import { ageOf, coolDown, hasRoom, lostEvidence, weigh } from '../../src/pins/bump/index.ts';
import { createPublishers, pageOfImage, pageOfPackage, releasesOf } from '../../src/upstreams/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { commitFiles, git, newRepository } from '../support/upstream/repository.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const image = (version: string, policy: PinPolicy = {}): ImagePin => ({
  name: 'x',
  kind: 'image',
  repository: 'ghcr.io/a/b',
  version,
  digest,
  platforms: {},
  policy,
  evidence: [{ kind: 'recorded', source: 'x' }],
  absent: [],
});
const offered = (...versions: readonly string[]) => versions.map((version) => ({ version, target: version }));
const ranked = (pin: ImagePin, ...versions: readonly string[]): readonly string[] =>
  weigh(pin, offered(...versions), { downgrade: false }).ranked.map(({ version }) => version);
const reasons = (pin: ImagePin, ...versions: readonly string[]): readonly string[] =>
  weigh(pin, offered(...versions), { downgrade: false }).held.map(({ version, reason }) => `${version} ${reason}`);

let folder = '';
afterEach(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  folder = '';
});

describe('weighing candidates', () => {
  it('orders by version and not by text, and leaves the current and older ones out', () => {
    expect(ranked(image('0.12.9'), '0.12.8', '0.12.10', '0.12.9', '0.13.0', '0.2.99')).toEqual(['0.13.0', '0.12.10']);
  });

  it('compares only versions of one shape', () => {
    expect(ranked(image('10'), '11', '10.1', '10.2.0', 'latest', '10.1-1764649731')).toEqual(['11']);
    expect(ranked(image('10.1-100'), '10.1-99', '10.1-1764649731', '10.2', '11')).toEqual(['10.1-1764649731']);
    expect(ranked(image('1.0.0'), '1.1.0-alpine', '1.1', '2')).toEqual([]);
  });

  it('says why a version is not taken: denied, out of range, pre-release', () => {
    const pin = image('1.0.0', { range: '^1', deny: ['1.4.0'] });
    expect(ranked(pin, '1.4.0', '1.3.0', '2.0.0', '1.5.0-rc.1')).toEqual(['1.3.0']);
    expect(reasons(pin, '1.4.0', '1.3.0', '2.0.0', '1.5.0-rc.1')).toEqual([
      '2.0.0 out-of-range',
      '1.5.0-rc.1 prerelease',
      '1.4.0 denied',
    ]);
    expect(ranked(image('1.0.0', { range: '^1', prerelease: true }), '1.5.0-rc.1', '2.0.0-rc.1')).toEqual([
      '1.5.0-rc.1',
    ]);
  });

  it('compares registries as hostnames, never as prefixes', () => {
    expect(reasons(image('1.0.0', { registries: ['ghcr.io.example.com', 'ghcr'] }), '1.1.0')).toEqual([
      '1.0.0 registry',
    ]);
    expect(ranked(image('1.0.0', { registries: ['ghcr.io'] }), '1.1.0')).toEqual(['1.1.0']);
  });

  it('takes versions out of tags by the pattern alone', () => {
    expect([versionOfTag('v1.2.3', 'v{version}'), versionOfTag('1.2.3', 'v{version}')]).toEqual(['1.2.3', undefined]);
    expect(versionOfTag('cli-1.2.3-linux', 'cli-{version}-linux')).toBe('1.2.3');
    expect([isFloating('10'), isFloating('3.14'), isFloating('3.14.3')]).toEqual([true, true, false]);
  });
});

describe('whether a list of versions need be asked for at all', () => {
  it.each([
    ['10', '^10', false],
    ['10', '>=10', true],
    ['10', undefined, true],
    ['3.14', '~3.14', false],
    ['3.14', '^3', true],
    ['0.12.7', '0.x', true],
    ['0.12.7', '<=0.12.7', false],
    ['0.12.7', '0.12.7', false],
    ['1.0.0-rc.1', '1.0.0-rc.1', true],
    ['10.1-1764649731', '^10', true],
    ['latest', '^1', false],
  ])('%s in %s: %s', (version, range, expected) => {
    const pin = image(version, range === undefined ? {} : { range });
    expect(hasRoom(pin)).toBe(expected);
    // And it is right: where there is no room, nothing that comes next is ever taken.
    const next = ['11', '10.2-1', '3.15', '4.0', '0.12.8', '0.13.0', '1.0.0', '1.0.1', '2.0.0'];
    if (!expected) expect(ranked(pin, ...next)).toEqual([]);
  });

  it('a pin that takes pre-releases has room up to the end of its range', () => {
    expect(hasRoom(image('1.2.3', { range: '<1.2.4', prerelease: true }))).toBe(true);
  });
});

describe('pages for the reviewer', () => {
  const releases = 'https://github.com/openai/codex/releases';
  it.each([
    ['git+https://github.com/openai/codex.git', releases],
    ['git+ssh://git@github.com/openai/codex.git', releases],
    ['git://github.com/openai/codex', releases],
    ['git@github.com:openai/codex.git', releases],
    ['github:openai/codex', releases],
    ['https://github.com/openai/codex/tree/main/cli', releases],
    ['https://github.com/openai', undefined],
    ['https://gitlab.com/openai/codex', undefined],
    ['https://evil.example/github.com/openai/codex', undefined],
    ['https://github.com.evil.example/openai/codex', undefined],
    [undefined, undefined],
  ])('releases of %s', (source, expected) => {
    expect(releasesOf(source)).toBe(expected);
  });

  it('of a package: its source’s releases, else npm’s page when the bytes come from there, else none', () => {
    const tarball = 'https://packages.npmjs.org/x/-/x-1.0.0.tgz';
    expect(pageOfPackage('x', '1.0.0', 'git+https://github.com/openai/codex.git', tarball)).toBe(releases);
    expect(pageOfPackage('@a/x', '1.0.0', undefined, tarball)).toBe('https://www.npmjs.com/package/@a/x/v/1.0.0');
    for (const elsewhere of ['https://npm.example.com/x-1.0.0.tgz', 'https://a.npmjs.org.example.com/x-1.0.0.tgz'])
      expect(pageOfPackage('x', '1.0.0', undefined, elsewhere)).toBeUndefined();
  });

  it('of an image: what its labels name', () => {
    const [source, url] = ['org.opencontainers.image.source', 'org.opencontainers.image.url'];
    expect(pageOfImage({ [url]: 'https://example.com/', [source]: 'https://github.com/openai/codex' })).toBe(releases);
    expect(pageOfImage({ [source]: 'https://gitlab.com/a/b', [url]: 'https://example.com/' })).toBe(
      'https://gitlab.com/a/b',
    );
    expect(pageOfImage({ [url]: 'javascript:alert(1)', title: 'https://example.com/' })).toBeUndefined();
  });
});

describe('age and evidence', () => {
  const now = new Date('2026-01-10T00:00:00Z');
  const candidate = { version: '1', target: '1', identity: 'sha256:a' };

  it('the upstream’s date wins, and a date in the future is none', () => {
    const record = { seen: '2025-01-01', identity: 'sha256:a' };
    expect(ageOf({ ...candidate, published: '2026-01-08T12:00:00Z' }, record, now)).toEqual({
      days: 1,
      from: 'upstream',
    });
    expect(ageOf({ ...candidate, published: '2027-01-01T00:00:00Z' }, record, now)).toEqual({ from: 'unknown' });
    expect(ageOf({ ...candidate, published: 'yesterday' }, record, now)).toEqual({ from: 'unknown' });
  });

  it('a first sight counts for the same bytes only; unknown age is too new, but where no cooldown is wanted', () => {
    expect(ageOf(candidate, { seen: '2026-01-03', identity: 'sha256:a' }, now).days).toBe(7);
    const other = ageOf(candidate, { seen: '2025-01-03', identity: 'sha256:b' }, now);
    expect(coolDown('1', other, 7)?.reason).toBe('age-unknown');
    expect(coolDown('1', other, 0)).toBeUndefined();
    expect([
      coolDown('1', { days: 6, from: 'upstream' }, 7)?.reason,
      coolDown('1', { days: 7, from: 'upstream' }, 7),
    ]).toEqual(['too-new', undefined]);
  });

  it('the record keeps the newest sights of a pin and what was seen first', async () => {
    folder = mkdtempSync(join(tmpdir(), 'seen-'));
    const host = fakeHost();
    const first = await FirstSeen.read(host, folder);
    expect(first.text()).toBeUndefined();
    for (let at = 0; at < 12; at += 1) first.note('uv', `1.0.${at}`, 'sha256:a', '2026-01-01');
    first.note('uv', '1.0.11', 'sha256:a', '2026-02-02');
    mkdirSync(join(folder, 'images'));
    writeFileSync(join(folder, 'images/first-seen.yaml'), first.text() ?? '');
    const again = await FirstSeen.read(host, folder);
    expect([again.get('uv', '1.0.3'), again.get('uv', '1.0.4')?.seen]).toEqual([undefined, '2026-01-01']);
    expect(again.get('uv', '1.0.11')?.seen).toBe('2026-01-01');
    expect(await check(first.text() ?? '', { parser: 'yaml', printWidth: 120, singleQuote: true })).toBe(true);
  });

  it('every kind of evidence but hearsay must stay', () => {
    const kinds = (...list: readonly PinEvidence['kind'][]) => list.map((kind) => ({ kind, source: 's' }));
    expect(lostEvidence(kinds('recorded', 'own-hash', 'publisher-checksum'), kinds('own-hash'))).toEqual([
      'publisher-checksum',
    ]);
    expect(lostEvidence(kinds('recorded'), kinds('api-digest'))).toEqual([]);
  });
});

describe('rewriting pins.yaml', () => {
  const text = `# top
pins:
  # about one
  one:
    kind: image # inline
    repository: ghcr.io/a/b
    version: '10' # moves

    digest: ${digest}
    policy: { range: ^10 }
    evidence:
      - { kind: recorded, source: somewhere }
      # a note below the evidence
    absent:
      - { fact: minor version, reason: not told }
      - {
          fact: per-platform digests,
          reason: 'a long reason, on a line of its own, since it would not fit on one line together with the fact it is about',
        }
  # about two
  two:
    kind: python
`;
  const edit = (source: string) =>
    editPins(
      text,
      'pins.yaml',
      new Map([
        [
          'one',
          {
            set: { version: '11', digest },
            platforms: { 'linux/amd64': digest, 'linux/arm64': digest },
            evidence: [{ kind: 'registry-digest' as const, source, seen: '2026-01-01' }],
            learned: 'per-platform',
          },
        ],
      ]),
    );

  it('keeps every comment and blank line, quotes what would be a number, and removes only what is known now', async () => {
    const after = edit('here');
    expect(after).toContain(
      `    version: '11' # moves\n\n    digest: ${digest}\n    platforms:\n      linux/amd64: ${digest}\n`,
    );
    expect(after).toContain('- { kind: registry-digest, source: here, seen: 2026-01-01 }\n');
    expect(after).toContain('- { fact: minor version, reason: not told }\n  # about two\n  two:\n');
    for (const comment of ['# top', '# about one', '# inline', '# a note below the evidence'])
      expect(after).toContain(comment);
    expect(await check(after, { parser: 'yaml', printWidth: 120, singleQuote: true })).toBe(true);
  });

  it('lays a long source out as the formatter does, and quotes what YAML would misread', async () => {
    const source = `it's https://example.com/${'a'.repeat(90)}, { really }: #1`;
    const after = edit(source);
    expect(await check(after, { parser: 'yaml', printWidth: 120, singleQuote: true })).toBe(true);
    const { parse } = await import('yaml');
    expect((parse(after) as { pins: { one: { evidence: unknown[] } } }).pins.one.evidence).toEqual([
      { kind: 'registry-digest', source, seen: '2026-01-01' },
    ]);
  });
});

describe('actions', () => {
  const pin: ActionPin = {
    name: 'checkout',
    kind: 'action',
    repository: 'actions/checkout',
    version: '4.1.0',
    commit: 'a'.repeat(40),
    policy: {},
    evidence: [{ kind: 'git-object', source: 'x' }],
    absent: [],
  };

  it('every use of the pinned commit moves on, with its version comment; other actions stay', async () => {
    folder = mkdtempSync(join(tmpdir(), 'actions-'));
    mkdirSync(join(folder, '.github/workflows'), { recursive: true });
    const text = [
      `- uses: actions/checkout@${pin.commit} # v4.1.0`,
      `- uses: 'actions/checkout/sub@${pin.commit}'`,
      `- uses: actions/checkout-else@${pin.commit} # v4.1.0`,
    ];
    writeFileSync(join(folder, '.github/workflows/a.yml'), text.join('\n'));
    const commit = 'b'.repeat(40);
    const changes = await actionChanges(fakeHost(), folder, pin, { version: '4.2.0', commit });
    expect(changes.get('.github/workflows/a.yml')?.split('\n')).toEqual([
      `- uses: actions/checkout@${commit} # v4.2.0`,
      `- uses: 'actions/checkout/sub@${commit}'`,
      text[2],
    ]);
  });

  it('an annotated tag stands for its commit, and a tag that was moved is an alarm', async () => {
    folder = mkdtempSync(join(tmpdir(), 'actions-'));
    const upstream = join(folder, 'actions/checkout');
    newRepository(upstream);
    const commit = commitFiles(upstream, { 'action.yml': 'a' }, '2026-01-01');
    git(upstream, ['tag', '-a', 'v4.1.0', '-m', 'release']);
    const ask = () => {
      const urls = { 'https://github.com/': `file://${folder}/` };
      const options = { root: folder, mirrors: { images: {}, urls }, pins: new Map() };
      return createPublishers(fakeHost(), options).upstreams.action.presence({ ...pin, commit });
    };
    expect(await ask()).toEqual({ $case: 'there' });
    const evil = commitFiles(upstream, { 'action.yml': 'evil' }, '2026-01-02');
    git(upstream, ['tag', '-f', 'v4.1.0']);
    expect(await ask()).toMatchObject({ $case: 'other', expected: commit, found: evil });
    git(upstream, ['tag', '-d', 'v4.1.0']);
    expect((await ask()).$case).toBe('gone');
  });
});

describe('the reviewer’s page', () => {
  it('shows foreign text as text: no markup, no mention, no link of its own', () => {
    const page = changelog({
      rows: [
        {
          pin: image('1.0.0'),
          verdict: {
            $case: 'due',
            to: { version: '1.1.0', target: 'x', link: 'javascript:alert(1)' },
            resolved: {
              facts: { kind: 'python', version: '1.1.0' },
              evidence: [{ kind: 'own-hash', source: '<img src=x> @someone [a](https://evil) | #1' }],
            },
            held: [],
          },
        },
      ],
      files: [],
      written: false,
    });
    expect(page).toContain('&lt;img src=x&gt; &#64;&#8203;someone \\[a\\]\\(https:&#8203;//evil\\) \\| \\#&#8203;1');
    expect(page).not.toContain('javascript:');
  });
});
