import { describe, expect, it } from 'vitest';
import { collectorsFor, evaluate, ruleInfos, type EvaluateInput } from '../../src/contract/index.ts';
import type { Platform } from '../../src/core/index.ts';
import { pictureOf, type PictureOf } from '../support/picture.ts';
import { changed, replacing, withEnv, withLabel, withoutLabel, withPath } from './edit.ts';
import { baseOf, check, contract, derived, now, openshell, problems, short, standard, ubi } from './good.ts';

const platforms = ['linux/amd64', 'linux/arm64'] as const;

/** Both platforms of a standard image, the second one edited. */
const two = (edit: (image: PictureOf) => PictureOf, more: Partial<EvaluateInput> = {}) => {
  const of = (platform: Platform, image: PictureOf) => pictureOf({ ...image, platform });
  return evaluate({
    pictures: [of('linux/amd64', standard()), of('linux/arm64', edit(standard()))],
    base: { 'linux/amd64': ubi(), 'linux/arm64': ubi() },
    profile: 'standard',
    contract,
    now,
    ...more,
  });
};

describe('two platforms', () => {
  it('alike have no finding', () => {
    const result = two((image) => image);
    expect(problems(result)).toEqual([]);
    expect(result.summary).toMatchObject({ platforms, counts: { error: 0, warning: 0 } });
  });
  it.each<[string, (image: PictureOf) => PictureOf, string]>([
    ['a label on one', withLabel('quay.expires-after', '48h'), 'parity-config quay.expires-after'],
    ['a variable', withEnv({ LANG: 'C' }), 'parity-config LANG'],
    ['the working directory', changed({ workdir: '/' }), 'parity-config WorkingDir'],
    ['the owner of a required path', withPath('/workspace', { uid: 1001 }), 'parity-paths /workspace'],
    ['a command', replacing('/usr/local/bin/rg', { mode: 0o755 }), 'parity-paths /usr/local/bin/rg'],
    [
      'the version of a tool',
      replacing('/usr/local/lib/node_modules/@a/tool/package.json', { content: '{"version":"1.2.3"}' }),
      'parity-tools npm @a/tool',
    ],
    [
      'the version of a Python package',
      replacing('/app/.venv/lib/python3.12/site-packages/httpx-0.28.1.dist-info', { type: 'directory' }),
      'parity-tools python package httpx',
    ],
  ])('differ in %s', (_, edit, expected) => {
    expect(short(two(edit))).toEqual([expected]);
  });
  it('may differ in the name of the CPU', () => {
    expect(problems(two(withLabel('architecture', 'arm64')))).toEqual([]);
  });
  it('say once what both say, and name the platform of what one says', () => {
    const both = evaluate({
      pictures: platforms.map((platform) => pictureOf({ ...changed({ user: '0' })(standard()), platform })),
      base: { 'linux/amd64': ubi(), 'linux/arm64': ubi() },
      profile: 'standard',
      contract,
      now,
    });
    expect(problems(both).map(({ rule, platform }) => [rule, platform])).toEqual([
      ['contract/user-non-root', undefined],
    ]);
    const one = problems(two(withoutLabel('org.opencontainers.image.title')));
    expect(one.map(({ rule, platform }) => [rule, platform])).toEqual([
      ['contract/label-required', 'linux/arm64'],
      ['contract/parity-config', undefined],
    ]);
  });
});

describe('an evaluation', () => {
  it('needs one picture for each platform', () => {
    expect(() => evaluate({ pictures: [], profile: 'standard', contract, now })).toThrow('nothing to hold');
    const twice = [pictureOf(standard()), pictureOf(standard())];
    expect(() => evaluate({ pictures: twice, profile: 'standard', contract, now })).toThrow('nothing to hold');
  });
  it('without a base names the rules that it could not decide', () => {
    const { summary } = check(standard(), 'standard', { base: {} });
    expect(summary.undecided.map(({ rule }) => rule)).toEqual([
      'contract/setid',
      'contract/file-capabilities',
      'contract/base-layers',
      'contract/base-digest',
      'contract/label-inherited',
    ]);
  });
  it('makes a contract-version mismatch an error when asked to be strict', () => {
    const image = withLabel('io.ambient-code.runner-contract-version', '2')(standard());
    const severity = (strictVersion: boolean) => problems(check(image, 'standard', { strictVersion }))[0]?.severity;
    expect([severity(false), severity(true)]).toEqual(['warning', 'error']);
  });
  it('of a derived image that names no version advises, and never blocks', () => {
    const image = withoutLabel('io.ambient-code.runner-contract-version')(derived());
    const version = problems(check(image, 'custom')).filter(({ rule }) => rule === 'contract/version');
    expect(version.map(({ severity }) => severity)).toEqual(['warning']);
  });
  it('of an image that derives from nothing known says how to tell it', () => {
    const image = withoutLabel('io.ambient-code.runner-variant')(derived());
    expect(() => check(image, 'custom')).toThrow('unknown which published image this one derives from');
    expect(check(image, 'custom', { derivedFrom: 'standard' }).summary.profile).toBe('custom (standard)');
  });
  it('of an image derived from openshell holds it against openshell', () => {
    const image = {
      ...openshell(),
      layers: [...(openshell().layers ?? []), 'COPY x /x'],
      labels: { ...openshell().labels },
    };
    const result = check(image, 'custom', { base: { 'linux/amd64': baseOf(openshell()) } });
    expect(result.summary.profile).toBe('custom (openshell)');
    expect(short(result)).toContain('user-non-root User');
    expect(short(result).filter((text) => text.startsWith('required-path'))).toEqual([]);
  });
  it('gives sizes, the ten largest files and what was wasted', () => {
    const paths = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`/opt/f${n}`, { size: 10_000_000 + n }]));
    const image = {
      ...standard(),
      paths: { ...standard().paths, ...paths },
      shadowed: [{ path: '/opt/f0', layer: 0, by: 1, size: 500 }],
    };
    const sizes = check(image, 'standard').summary.sizes['linux/amd64'];
    expect(sizes).toMatchObject({
      compressed: 2000,
      uncompressed: 6000,
      wasted: 500,
      wastedBy: [{ layer: 1, size: 500 }],
    });
    expect(sizes?.largest.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, n) => `/opt/f${11 - n}`));
  });
});

describe('a file overwritten through a link of a lower layer', () => {
  it('is found by what the link leads to, since COPY leaves no other trace', () => {
    const binary = '/usr/local/lib/node_modules/claude/bin/claude.exe';
    const image = {
      ...standard(),
      layers: ['ADD file:ubi.tar in /', 'RUN npm ci', 'COPY wrapper.sh /usr/local/bin/claude'],
      shadowed: [{ path: binary, layer: 1, by: 2, size: 500 }],
    };
    const withLink = (layer: number) => {
      const link = replacing('/usr/local/bin/claude', { link: '../lib/node_modules/claude/bin/claude.exe', layer })(
        image,
      );
      return short(check(replacing(binary, { mode: 0o755, layer: 2 })(link), 'standard'));
    };
    expect(withLink(1)).toEqual([`write-through-link ${binary}`]);
    // A link made together with the new file, or after it, is no accident.
    expect(withLink(2)).toEqual([]);
  });
});

describe('the collectors', () => {
  const { wantContent, secrets } = collectorsFor(contract);
  const file = (size: number, mode: number) => ({ type: 'file', size, mode }) as const;
  it.each([
    ['/etc/passwd', file(900, 0o644), true],
    ['/etc/openshell/policy.yaml', file(900, 0o644), true],
    ['/etc/openshell/policy.rego', file(900, 0o644), true],
    ['/app/.venv/pyvenv.cfg', file(90, 0o644), true],
    ['/app/.venv/lib/python3.12/site-packages/a.pth', file(90, 0o644), true],
    ['/usr/local/lib/node_modules/@openai/codex/package.json', file(900, 0o644), true],
    ['/usr/local/lib/node_modules/x/node_modules/y/package.json', file(900, 0o644), false],
    ['/usr/local/bin/claude', file(900, 0o755), true],
    ['/runner/entrypoint.sh', file(900, 0o755), true],
    ['/usr/local/bin/gh', file(50_000_000, 0o755), false],
    ['/etc/openshell/policy.yaml', file(50_000_000, 0o644), false],
    ['/usr/share/doc/x', file(10, 0o644), false],
    ['/etc/passwd', { type: 'symlink', size: 0, mode: 0o777 }, false],
  ] as const)('want %s %j: %s', (path, entry, wanted) => {
    expect(wantContent(path, entry)).toBe(wanted);
  });
  it('hand over every secret rule', () => {
    expect(secrets.length).toBeGreaterThan(20);
  });
});

describe('the rules', () => {
  it('have ids of their own, one sentence and a remedy each', () => {
    const ids = ruleInfos.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, summary, remediation, section } of ruleInfos) {
      expect([
        id,
        /^contract\/[a-z-]+$/.test(id),
        summary.endsWith('.'),
        remediation.length > 20,
        section !== undefined,
      ]).toEqual([id, true, true, true, true]);
    }
  });
});
