import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { committed, root } from '../dockerfile/definitions.ts';

interface Manager {
  readonly description: string;
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
  readonly datasourceTemplate: string;
}

const guide = readFileSync(join(root, 'docs/renovate.md'), 'utf8');
const config = JSON.parse(/```json\n([^]*?)```/.exec(guide)?.[1] ?? '') as { customManagers: readonly Manager[] };
const pinsFile = 'images/pins.yaml';
const text = readFileSync(join(root, pinsFile), 'utf8');
const manager = (datasource: string): Manager => {
  const found = config.customManagers.find(({ datasourceTemplate }) => datasourceTemplate === datasource);
  if (found === undefined) throw new Error(`no manager for ${datasource}`);
  return found;
};
const found = (datasource: string) =>
  manager(datasource)
    .matchStrings.flatMap((pattern) => [...text.matchAll(new RegExp(pattern, 'g'))])
    .map(({ groups }) => ({ ...groups }))
    .sort((one, other) => ((one['depName'] ?? '') < (other['depName'] ?? '') ? -1 : 1));
const pins = [...committed.pins.values()].sort((one, other) => (one.name < other.name ? -1 : 1));

describe('the custom managers for Renovate', () => {
  it('find every image with version and digest', () => {
    expect(found('docker')).toEqual(
      pins.flatMap((pin) =>
        pin.kind === 'image'
          ? [{ depName: pin.name, packageName: pin.repository, currentValue: pin.version, currentDigest: pin.digest }]
          : [],
      ),
    );
    expect(found('docker').length).toBeGreaterThan(1);
  });

  it('find every release of GitHub, every npm package and every action', () => {
    const facts = { release: 'github-releases', npm: 'npm', action: 'github-tags' } as const;
    for (const pin of pins) {
      if (pin.kind !== 'release' && pin.kind !== 'npm' && pin.kind !== 'action') continue;
      const packageName = pin.kind === 'npm' ? pin.package : pin.repository.replace('https://github.com/', '');
      const digest = pin.kind === 'action' ? { currentDigest: pin.commit } : {};
      expect(found(facts[pin.kind])).toContainEqual({
        depName: pin.name,
        packageName,
        currentValue: pin.version,
        ...digest,
      });
    }
    for (const [kind, datasource] of Object.entries(facts))
      expect(found(datasource)).toHaveLength(pins.filter((pin) => pin.kind === kind).length);
  });

  it('look at the pins file, and use nothing that RE2 lacks', () => {
    for (const { managerFilePatterns, matchStrings } of config.customManagers) {
      expect(managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(pinsFile))).toBe(true);
      expect(matchStrings.filter((pattern) => /\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(pattern))).toEqual([]);
    }
  });
});
