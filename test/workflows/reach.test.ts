import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOwnLock, type NpmFiles } from '../../src/flows/ci/proposed-changes.ts';
import { checkReach, onlyUses } from '../../src/flows/ci/reach.ts';
import { bumpGroups } from '../../src/flows/ci/index.ts';
import { committed, root } from '../dockerfile/definitions.ts';
import { fakeHost } from '../support/fake-host.ts';
import { workflowFiles } from './files.ts';

const build = workflowFiles.find(({ file }) => file.endsWith('/build.yml'))?.text ?? '';
const commit = '0'.repeat(40);
const moved = build.replace(/actions\/checkout@[0-9a-f]{40} # v5\.0\.0/, `actions/checkout@${commit} # v5.1.0`);
const groups = bumpGroups(committed);
const check = (group: string, path: string, text: string | undefined) =>
  checkReach(fakeHost(), root, committed, groups.get(group) ?? [], new Map([[path, text]])).then(
    () => 'passes',
    (error: unknown) => (error as { code: string }).code,
  );

describe('a line of a workflow', () => {
  const line = (repository: string, sha: string, rest: string) => `    - uses: ${repository}@${sha}${rest}\n`;
  const before = line('actions/checkout', '1'.repeat(40), ' # v5.0.0');
  const only = (after: string, repositories = ['actions/checkout']) => onlyUses(before, after, repositories);

  test('may move to another commit and version of the same action', () => {
    expect(only(line('actions/checkout', commit, ' # v5.1.0'))).toBe(true);
    expect(only(before)).toBe(true);
  });

  test.each([
    ['another action', line('evil/checkout', commit, ' # v5.1.0')],
    ['a part of another action', line('actions/checkout/x', commit, ' # v5.1.0')],
    ['a tag', line('actions/checkout', 'v5', ' # v5.1.0')],
    ['another comment', line('actions/checkout', commit, ' # v5.1.0 ${{ x }}')],
    ['a second line', `${line('actions/checkout', commit, ' # v5.1.0')}    - run: curl evil\n`],
    ['a script', '    - run: curl evil\n'],
    ['no line', ''],
    ['a quote more', line('"actions/checkout', commit, ' # v5.1.0')],
  ])('does not become %s', (_name, after) => expect(only(after)).toBe(false));

  test('stays where its action is none of the group', () =>
    expect(only(line('actions/checkout', commit, ' # v5.1.0'), ['actions/setup-node'])).toBe(false));
});

describe('the lock of an agent', () => {
  const pins = [...committed.pins.values()].filter((pin) => pin.kind === 'npm');
  const files = (lock: string): NpmFiles => ({
    'package.json': readFileSync(join(root, lock, 'package.json'), 'utf8'),
    'package-lock.json': readFileSync(join(root, lock, 'package-lock.json'), 'utf8'),
  });
  const json = (text: string, change: (value: Record<string, unknown>) => void): string => {
    const value = JSON.parse(text) as Record<string, unknown>;
    change(value);
    return `${JSON.stringify(value, null, 2)}\n`;
  };

  test('is npm’s own, as every committed one', () => {
    expect(pins.length).toBeGreaterThan(3);
    for (const pin of pins)
      for (const version of [pin.version, '99.0.0']) {
        const given = files(pin.lock);
        const moved = given['package.json'].replaceAll(pin.version, version);
        const [own, other] = [moved, given['package.json']].map((text) =>
          isOwnLock(pin, version, { ...given, 'package.json': text }, given['package.json']),
        );
        expect([own, other], pin.name).toEqual([true, version === pin.version]);
      }
  });

  test.each<[string, (given: NpmFiles) => NpmFiles]>([
    [
      'a script',
      (given) => ({
        ...given,
        'package.json': json(given['package.json'], (one) => (one['scripts'] = { install: 'x' })),
      }),
    ],
    [
      'another dependency',
      (given) => ({
        ...given,
        'package.json': json(given['package.json'], (one) => (one['dependencies'] = { evil: '1.0.0' })),
      }),
    ],
    [
      'a place outside',
      (given) => ({
        ...given,
        'package-lock.json': json(
          given['package-lock.json'],
          ({ packages }) => ((packages as Record<string, unknown>)['node_modules/../../../x'] = {}),
        ),
      }),
    ],
    [
      'a member that is there twice',
      (given) => ({ ...given, 'package-lock.json': given['package-lock.json'].replace('{', '{"packages": {},') }),
    ],
    ['no JSON', (given) => ({ ...given, 'package-lock.json': 'x' })],
    ['no packages', (given) => ({ ...given, 'package-lock.json': '{}\n' })],
  ])('is refused with %s', (_name, change) => {
    const [pin] = pins;
    if (pin === undefined) throw new Error('no pin');
    const given = files(pin.lock);
    expect(isOwnLock(pin, pin.version, change(given), given['package.json'])).toBe(false);
  });
});

describe('what the privileged job may push', () => {
  test('is, of actions, a workflow whose commits moved; nothing else of it', async () => {
    expect(moved).not.toBe(build);
    expect(await check('actions', '.github/workflows/build.yml', moved)).toBe('passes');
    const spoilt = [`${moved}      - run: curl evil\n`, moved.replace('contents: read', 'contents: write'), undefined];
    for (const text of spoilt) expect(await check('actions', '.github/workflows/build.yml', text)).toBe('ci/record');
  });

  test.each([
    ['tools', '.github/workflows/build.yml', moved],
    ['tools', 'src/core/digest.ts', ''],
    ['tools', 'package.json', '{}'],
    ['tools', '../outside', ''],
    ['tools', 'checksums/../.github/workflows/x.yml', ''],
    ['tools', 'checksums/other/1.0.0.sha256', ''],
    ['tools', 'images/openshell/npm/claude/package-lock.json', '{}'],
    ['images', 'images/openshell/rootfs/usr/local/bin/claude', ''],
    ['images', 'images/openshell/image.yaml', ''],
    ['actions', '.github/workflows/new.txt', ''],
    ['actions', '.github/CODEOWNERS', ''],
    ['actions', '.github/trust-policy.yaml', ''],
    ['agents', 'images/fragments/agent.dockerfile', ''],
  ])('is, of %s, not %s', async (group, path, text) => expect(await check(group, path, text)).toBe('ci/record'));

  test('is what belongs to the pins and follows from them', async () => {
    const passes: readonly (readonly [string, string])[] = [
      ['tools', 'checksums/gh/9.9.9.sha256'],
      ['tools', 'images/pins.yaml'],
      ['images', 'images/first-seen.yaml'],
      ['images', 'images/standard/Dockerfile.standard'],
      ['agents', 'images/openshell/npm/claude/package-lock.json'],
    ];
    for (const [group, path] of passes) expect(await check(group, path, ''), path).toBe('passes');
  });
});
