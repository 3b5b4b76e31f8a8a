import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lintDockerfile } from '../../src/lint/index.ts';

const images = resolve(import.meta.dirname, '../../images');
const own = readdirSync(images, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /\/Dockerfile\.(?!dockerignore$)[^/]+$/.test(path),
);
const rulesOf = (text: string): string[] =>
  [...new Set(lintDockerfile('Dockerfile', text).findings.map(({ rule }) => rule))].sort();

describe('the committed Dockerfiles', () => {
  it('are there', () => {
    expect(own.length).toBeGreaterThan(0);
  });

  it.each(own)('%s has no finding', (path) => {
    expect(lintDockerfile(path, readFileSync(join(images, path), 'utf8')).findings).toEqual([]);
  });
});

describe('a committed Dockerfile with one guard taken out', () => {
  const text = readFileSync(join(images, 'openshell/Dockerfile.openshell-claude'), 'utf8');
  it.each([
    [
      'the check of a download',
      / {4}echo "\$sum {2}\/tmp\/gh\.tar\.gz" \| sha256sum -c - \\\n {8}\|\| \{.*\}; \\\n/,
      ['dockerfile/unverified-download'],
    ],
    ['a digest', /@sha256:[0-9a-f]{64} AS image/, ['dockerfile/unpinned-image']],
    [
      'the tag beside a digest',
      /ghcr\.io\/astral-sh\/uv:[0-9.]+(?=@\S+ AS uv\n)/,
      ['dockerfile/image-without-version'],
    ],
    ['an ARG TARGETARCH', /(?<=AS gh\n)ARG TARGETARCH\n/, ['dockerfile/undeclared-platform-argument']],
    ['the failing default', /exit 1 (?=;; \\\n {4}esac; \\\n {4}curl)/, ['dockerfile/architecture-default']],
    ['--locked', / --locked/, ['dockerfile/pip-unhashed']],
  ])('%s yields exactly its finding', (_name, guard, rules) => {
    const replacement = _name === 'the tag beside a digest' ? 'ghcr.io/example/other' : '';
    expect(text).toMatch(guard);
    expect(rulesOf(text.replace(guard, replacement))).toEqual(rules);
  });
});

describe('hostile text', () => {
  it.each([
    ['substitutions', '$('.repeat(20_000)],
    ['braces', 'echo ' + '${a:-'.repeat(20_000)],
    ['braces in quotes', 'echo ' + '"${a:-'.repeat(20_000)],
    ['subshells', '('.repeat(20_000)],
    ['conditions', 'if '.repeat(20_000)],
  ])('deeply nested %s end in a finding', (_name, code) => {
    expect(rulesOf(`FROM a:1\nRUN ${code}\n`)).toContain('dockerfile/unreadable-shell');
  });

  it('with << in quotes again and again is read to its end', () => {
    const text = `FROM a:1\n${'RUN echo "a <<EOF b"\n'.repeat(100)}RUN sudo true\n`;
    expect(rulesOf(text)).toContain('dockerfile/sudo');
  });

  it.each([
    ['arguments', 'ARG', (i: number) => `ARG A${i}=$A${i - 1}$A${i - 1}`],
    ['variables', 'ENV', (i: number) => `ENV A${i}=$A${i - 1}$A${i - 1}`],
    [
      'conditions',
      'RUN',
      (i: number) => (i < 36 ? `RUN true` : `RUN ${'if a; then '.repeat(36)}b${'; fi'.repeat(36)}`),
    ],
    ['rescues', 'RUN', (i: number) => (i < 36 ? `RUN true` : `RUN ${'a || { '.repeat(36)}b${'; }'.repeat(36)}`)],
  ])('with %s that double are read in time', (_name, keyword, line) => {
    const lines = Array.from({ length: 36 }, (_, i) => line(i + 1)).join('\n');
    const text = keyword === 'ARG' ? `${lines}\nFROM $A36:1\n` : `FROM a:1\n${lines}\nRUN echo $A36\n`;
    expect(rulesOf(text)).toContain('dockerfile/unpinned-image');
  });

  it.each([
    ['a chain of stages', (i: number) => `FROM s${i} AS s${i + 1}\nRUN ln -s a b${i}`],
    ['directories in each other', (i: number) => `WORKDIR a${i}\nRUN cd b && tar xf c`],
    ['checks beside many copies', (i: number) => `COPY a${i} /a${i}\nRUN curl -o b x.example && sha256sum -c /a${i}`],
  ])('with %s is read in time that grows as they do', (_name, line) => {
    const many = Array.from({ length: 4_000 }, (_, i) => line(i)).join('\n');
    expect(rulesOf(`FROM a:1 AS s0\n${many}\n`)).toContain('dockerfile/unpinned-image');
  });

  it('of many instructions is read in time that grows as they do', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `ARG A${i}=1\nRUN cd /a && chmod -R g=u $A${i}`).join('\n');
    expect(rulesOf(`FROM a:1\n${many}\n`)).toContain('dockerfile/late-recursive-change');
  });
});
