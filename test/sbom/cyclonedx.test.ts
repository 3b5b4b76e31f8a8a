import { describe, expect, it } from 'vitest';
import type { Picture } from '../../src/core/index.ts';
import { diffPackages, inventory, toCycloneDx, wantedForSbom, type Package } from '../../src/sbom/index.ts';
import { pictureOf } from '../support/picture.ts';

const about = {
  repository: 'quay.io/ambient_code/acp_claude_runner',
  sourceDateEpoch: 1_767_000_000,
  toolVersion: '0.1.0',
};

const picture = (): Picture =>
  pictureOf({
    layers: ['FROM base', 'RUN npm ci'],
    paths: {
      '/var/lib/dpkg/status': {
        layer: 0,
        content: 'Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.7\n',
      },
      '/opt/node_modules/tar/package.json': {
        layer: 1,
        content: '{"name":"tar","version":"7.5.11","license":"(MIT OR ISC)"}',
      },
      '/opt/node_modules/odd/package.json': {
        layer: 1,
        content: '{"name":"odd","version":"1.0.0","license":"SEE LICENSE IN README.md"}',
      },
      '/v/fastapi-1.dist-info/METADATA': { layer: 1, content: 'Name: fastapi\nVersion: 0.115\nLicense: MIT\n' },
      '/usr/local/bin/gh': { layer: 1 },
    },
  });

const gh = {
  kind: 'release' as const,
  name: 'gh',
  version: '2.74.0',
  repository: 'https://github.com/cli/cli',
  url: 'https://x.example/gh_{version}_{arch}.tar.gz',
  checksumFile: 'x',
  checksums: { 'linux/amd64': `sha256:${'a'.repeat(64)}`, 'linux/arm64': `sha256:${'b'.repeat(64)}` },
  policy: {},
  evidence: [],
  absent: [],
} as unknown as Parameters<typeof inventory>[1] extends readonly (infer T)[] | undefined
  ? T extends { pin: infer P }
    ? P
    : never
  : never;

describe('inventory', () => {
  it('places each package in the layer that brought it and names the pin', async () => {
    const found = inventory(picture(), [{ pin: gh, path: '/usr/local/bin/gh' }]);
    expect(found.map(({ purl, layer, pin }) => [purl, layer.index, pin])).toEqual([
      ['pkg:deb/debian/jq@1.7?arch=amd64', 0, undefined],
      ['pkg:generic/gh@2.74.0?vcs_url=https%3A%2F%2Fgithub.com%2Fcli%2Fcli', 1, 'gh'],
      ['pkg:npm/odd@1.0.0', 1, undefined],
      ['pkg:npm/tar@7.5.11', 1, undefined],
      ['pkg:pypi/fastapi@0.115', 1, undefined],
    ]);
    // The hash is the archive's, not the file's: it stands with the place it was fetched from.
    expect(found.find(({ pin }) => pin === 'gh')).toMatchObject({
      origin: { kind: 'distribution', url: 'https://x.example/gh_2.74.0_amd64.tar.gz', sha256: 'a'.repeat(64) },
    });
    expect(found.find(({ pin }) => pin === 'gh')?.sha256).toBeUndefined();
  });

  it('marks the npm package that a pin names, in its very version', async () => {
    const pin = (version: string) =>
      ({ ...gh, kind: 'npm', name: 'tar', package: 'tar', version }) as unknown as typeof gh;
    const marked = async (version: string) =>
      inventory(picture(), [{ pin: pin(version), path: '/usr/local/bin/tar' }])
        .filter((found) => found.pin === 'tar')
        .map(({ purl }) => purl);
    expect(await marked('7.5.11')).toEqual(['pkg:npm/tar@7.5.11']);
    expect(await marked('7.5.12')).toEqual([]);
  });

  it('leaves out a pin whose path is not in the image', async () => {
    expect(inventory(picture(), [{ pin: gh, path: '/nowhere' }]).some(({ pin }) => pin === 'gh')).toBe(false);
  });

  it('asks for package databases, never for large or unrelated files', () => {
    const file = (size: number) => ({ type: 'file', size });
    expect(wantedForSbom('/usr/lib/sysimage/rpm/rpmdb.sqlite', file(30_000_000))).toBe(true);
    expect(wantedForSbom('/x/node_modules/a/package.json', file(5_000_000))).toBe(false);
    expect(wantedForSbom('/etc/passwd', file(10))).toBe(false);
  });
});

describe('the CycloneDX document', () => {
  const write = async (): Promise<string> =>
    toCycloneDx(picture(), inventory(picture(), [{ pin: gh, path: '/usr/local/bin/gh' }]), about);

  it('holds to the specification, version 1.6', async () => {
    const { Spec, Validation } = await import('@cyclonedx/cyclonedx-library');
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(await write())).toBeNull();
    const broken = (await write()).replace('"type": "library"', '"type": "no-such-type"');
    expect(await validator.validate(broken)).not.toBeNull();
  });

  it('is the same to the byte each time', async () => {
    expect(await write()).toBe(await write());
  });

  it('names licences as expressions, ids or the publisher’s own words', async () => {
    const document = JSON.parse(await write()) as { components: { name: string; licenses?: unknown[] }[] };
    const of = (name: string) => document.components.find((component) => component.name === name)?.licenses;
    expect(of('tar')).toEqual([{ expression: '(MIT OR ISC)' }]);
    expect(of('fastapi')).toEqual([{ license: { id: 'MIT' } }]);
    expect(of('odd')).toEqual([{ license: { name: 'SEE LICENSE IN README.md' } }]);
    expect(of('jq')).toBeUndefined();
  });

  it('says where a pinned artifact was fetched from, by which hash, and for which pin', async () => {
    const document = JSON.parse(await write()) as { components: { name: string }[] };
    expect(document.components.find(({ name }) => name === 'gh')).toMatchObject({
      externalReferences: [
        {
          type: 'distribution',
          url: 'https://x.example/gh_2.74.0_amd64.tar.gz',
          hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
        },
      ],
      properties: expect.arrayContaining([{ name: 'openshell-runner-images:pin', value: 'gh' }]) as unknown,
    });
  });
});

describe('diffPackages', () => {
  const of = (name: string, version: string): Package => ({
    ecosystem: 'npm',
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    path: '/x',
    layer: { index: 0, digest: `sha256:${'0'.repeat(64)}` as Package['layer']['digest'] },
  });

  it('tells added, removed and changed, and compares several versions as a set', () => {
    const before = [of('same', '1'), of('went', '1'), of('up', '1'), of('twice', '1'), of('twice', '2')];
    const after = [of('same', '1'), of('came', '1'), of('up', '2'), of('twice', '2'), of('twice', '1')];
    expect(diffPackages(before, after)).toEqual([
      { $case: 'added', subject: 'npm/came', to: '1' },
      { $case: 'changed', subject: 'npm/up', from: '1', to: '2' },
      { $case: 'removed', subject: 'npm/went', from: '1' },
    ]);
  });
});
