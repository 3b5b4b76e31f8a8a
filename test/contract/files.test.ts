import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readContract, readImage, readWaivers } from '../../src/config/index.ts';
import { ruleInfos } from '../../src/contract/index.ts';
import { AppErrors, renderError } from '../../src/errors/index.ts';

const root = resolve(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(resolve(root, path), 'utf8');
const ids = new Set(ruleInfos.map(({ id }) => id));

const thrown = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('the files of the contract', () => {
  it.each(['openshell', 'standard'])('waivers of images/%s name rules that there are', (image) => {
    const { waivers } = readImage(text(`images/${image}/image.yaml`), 'image.yaml').value;
    expect(waivers.filter(({ rule }) => !ids.has(rule))).toEqual([]);
    if (image === 'openshell') expect(waivers.map(({ rule }) => rule)).toContain('contract/user-non-root');
  });

  it('the example of a derived image is built from a literal digest, which its label repeats', () => {
    const dockerfile = text('images/custom/Dockerfile');
    const from = /^FROM \S+@(sha256:[0-9a-f]{64})$/m.exec(dockerfile)?.[1];
    expect(dockerfile).toContain(`org.opencontainers.image.base.digest="${from ?? 'none'}"`);
    expect(readWaivers(text('images/custom/waivers.yaml'), 'waivers.yaml')).toEqual([]);
  });

  it('each broken sibling says which findings of known rules it must yield', () => {
    const files = readdirSync(resolve(root, 'test/contract/broken')).filter((name) => name.endsWith('.dockerfile'));
    expect(files.length).toBeGreaterThanOrEqual(12);
    for (const file of files) {
      const [first = ''] = text(`test/contract/broken/${file}`).split('\n');
      const [, rule = ''] = /^# finds: (\S+) \S+$/.exec(first) ?? [];
      expect([file, ids.has(rule)]).toEqual([file, true]);
    }
  });
});

describe('a waiver file', () => {
  const line = (member: string, value: string): string => {
    const members: Record<string, string> = {
      rule: 'contract/setid',
      subject: '/usr/bin/su',
      reason: 'it is needed for a while',
      owner: 'team',
      expires: '2027-01-31',
    };
    const all = { ...members, [member]: value };
    return `waivers:\n  - ${Object.entries(all)
      .map(([key, is]) => `${key}: ${is}`)
      .join('\n    ')}\n`;
  };
  it('gives each waiver the place it is written at', () => {
    const [waiver] = readWaivers(line('owner', 'team'), 'w.yaml');
    expect(waiver).toMatchObject({ expires: '2027-01-31', where: { file: 'w.yaml', line: 2 } });
  });
  it.each([
    ['rule', 'setid'],
    ['subject', '"/**"'],
    ['reason', 'because'],
    ['owner', '""'],
    ['expires', '2027-02-30'],
    ['expires', 'never'],
    ['until', '2027-01-01'],
  ])('with %s: %s is refused with its line', (member, value) => {
    const error = renderError(thrown(() => readWaivers(line(member, value), 'w.yaml')));
    expect(error).toMatch(/w\.yaml:\d+:\d+/);
  });
  it('reports all mistakes at once', () => {
    const bad = line('owner', '""').replace('2027-01-31', 'never').replace('contract/setid', 'x');
    const error = thrown(() => readWaivers(bad, 'w.yaml'));
    expect(error).toBeInstanceOf(AppErrors);
    expect((error as AppErrors).errors.map(({ facts }) => facts.where?.line)).toEqual([2, 5, 6]);
  });
});

describe('a contract file', () => {
  const sound = text('images/contract/v1.yaml');
  it.each([
    ['a misspelt key', 'waiverWarningDays', 'waiverWarnDays'],
    ['a port out of range', 'port: 8001', 'port: 80010'],
    ['a relative path', 'home: /app', 'home: app'],
    ['access in another order', 'access: rwx', 'access: wxr'],
    ['a broken pattern', '^https://', '^(https://'],
    ['a version as a number', "minimum: '3.12'", 'minimum: 3.12'],
  ])('with %s is refused with its line', (_, from, to) => {
    expect(sound).toContain(from);
    const error = renderError(thrown(() => readContract(sound.replace(from, to), 'v1.yaml')));
    expect(error).toMatch(/v1\.yaml:\d+:\d+/);
  });
});
