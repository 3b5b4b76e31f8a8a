import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NpmPin, Pin } from '../../src/core/index.ts';
import { unlistedInputs, verifyLock, verifyPins, type VariantText } from '../../src/pins/index.ts';
import { checkPins } from '../../src/flows/pins.ts';
import { committed, renderAll, root } from '../dockerfile/definitions.ts';
import { fakeHost } from '../support/fake-host.ts';

const standard = renderAll(committed).get('standard');
if (standard === undefined) throw new Error('no standard variant');
const variant = (extra = '', pins: readonly Pin[] = standard.pins): VariantText => ({
  variant: 'standard',
  dockerfile: 'Dockerfile',
  text: standard.text + extra,
  pins,
});

describe('the project', () => {
  it('has complete and consumed pins, and tells what is absent', async () => {
    const { findings, pins, variants } = await checkPins(fakeHost(), { root });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const text = readFileSync(join(root, 'images/pins.yaml'), 'utf8');
    expect(pins).toBe(text.match(/^ {4}kind: /gm)?.length);
    expect(variants).toBe(7);
    expect(findings.map(({ subject }) => subject)).toContain('ubi10: per-platform digests');
  });
});

describe('an unlisted input', () => {
  it.each([
    ['an image by tag', 'FROM quay.io/a/b:latest\n', 'quay.io/a/b:latest'],
    ['a pinned image with another digest', `FROM ghcr.io/astral-sh/uv:0.12.7@sha256:${'0'.repeat(64)}\n`, 'uv:0.12.7@'],
    ['COPY --from of an image', 'COPY --from=quay.io/a/b:1 /x /x\n', 'quay.io/a/b:1'],
    ['a download', 'RUN curl -o /x https://example.test/x\n', 'https://example.test/x'],
    [
      'a download on a continued line',
      'RUN true; \\\n  # why\n  curl http://example.test/y\n',
      'http://example.test/y',
    ],
    ['npm install', 'RUN npm install -g left-pad\n', 'npm install'],
    ['npm ci without a pinned lock', 'FROM tools AS x\nRUN npm ci\n', 'npm ci'],
    ['pip install', 'RUN pip3 install x\n', 'pip install'],
    ['a package', 'RUN dnf install -y --nodocs jq cowsay; true\n', 'cowsay'],
    ['dnf upgrade', 'RUN dnf -y upgrade\n', 'dnf upgrade'],
    ['ADD', 'ADD https://example.test/z /z\n', '/z'],
  ])('is found: %s', (_name, text, subject) => {
    const findings = unlistedInputs(variant(text));
    expect(findings.map((one) => one.subject).join('\n')).toContain(subject);
    const [first] = findings;
    expect(first?.location).toMatchObject({ $case: 'file' });
    expect(first?.location.$case === 'file' && first.location.line).toBeGreaterThan(
      standard.text.split('\n').length - 1,
    );
  });

  it('is every input whose pin is taken away', () => {
    for (const pin of standard.pins) {
      // uv installs the one, and standard-rpms lists the same package as the other.
      if (pin.kind === 'python' || pin.name === 'build-python-rpms') continue;
      const rest = standard.pins.filter(({ name }) => name !== pin.name);
      expect(unlistedInputs(variant('', rest)), pin.name).not.toEqual([]);
    }
  });
});

describe('verifyPins', () => {
  const all = { pinsFile: 'images/pins.yaml', variants: [variant()], locks: new Map<string, unknown>() };

  it('reports a pin that nobody consumes', () => {
    const [gh] = standard.pins.filter(({ name }) => name === 'gh');
    const extra = { ...gh, name: 'unused' } as Pin;
    expect(verifyPins({ ...all, pins: [extra] }).map(({ rule }) => rule)).toEqual(['pins/unused']);
  });

  it('reports a missing architecture and a missing lock', () => {
    const release = committed.pins.get('gh');
    if (release?.kind !== 'release') throw new Error('gh');
    const { 'linux/amd64': amd64 } = release.checksums;
    const half = { ...release, checksums: { 'linux/amd64': amd64 } } as unknown as Pin;
    const npm = committed.pins.get('gemini');
    const messages = verifyPins({ ...all, pins: npm === undefined ? [half] : [half, npm] }).map(
      ({ message }) => message,
    );
    expect(messages).toContain('gh: no checksum for arm64');
    expect(messages.join('\n')).toContain('package-lock.json is missing');
  });
});

describe('a lock', () => {
  const integrity = `sha512-${'A'.repeat(86)}==`;
  const pin = {
    kind: 'npm',
    name: 'x',
    package: 'x',
    version: '1.0.0',
    integrity,
    lock: 'npm/x',
    policy: {},
    evidence: [],
    absent: [],
  } as NpmPin;
  const lock = (packages: Record<string, unknown>): unknown => ({
    lockfileVersion: 3,
    packages: { '': {}, 'node_modules/x': { version: '1.0.0', integrity }, ...packages },
  });
  const rules = (content: unknown): string[] => verifyLock(pin, content).map(({ rule }) => rule);

  it('is accepted with integrity everywhere and both CPUs', () => {
    const cpus = ['x64', 'arm64'].map((cpu) => [`node_modules/x-${cpu}`, { integrity, os: ['linux'], cpu: [cpu] }]);
    expect(rules(lock(Object.fromEntries(cpus) as Record<string, unknown>))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a package without integrity', { 'node_modules/y': { version: '1' } }, 'pins/lock-integrity'],
    ['SHA-1 integrity', { 'node_modules/y': { integrity: 'sha1-x' } }, 'pins/lock-integrity'],
    ['the name of a registry', { 'node_modules/y': { integrity, resolved: 'https://r/y.tgz' } }, 'pins/lock-host'],
    ['one CPU only', { 'node_modules/y': { integrity, os: ['linux'], cpu: ['x64'] } }, 'pins/lock-architecture'],
    ['another version than the pin', { 'node_modules/x': { version: '2.0.0', integrity } }, 'pins/lock-version'],
  ])('with %s is refused', (_name, packages, rule) => {
    expect(rules(lock(packages))).toContain(rule);
  });

  it('that is no lock is refused', () => {
    expect(rules('nonsense')).toEqual(['pins/lock-shape']);
  });
});
