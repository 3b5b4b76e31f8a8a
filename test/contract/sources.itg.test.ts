import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding, Platform } from '../../src/core/index.ts';
import { formatReport } from '../../src/report/index.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { checkCustom, host } from './derived-kit.ts';

// The lab's uv image: small, of two platforms, and nobody's runner: it breaks much of the contract.
let lab: LabState;
let folder = '';
let reference = '';
const loaded: (readonly [endpoint: string, name: string])[] = [];

const skopeo = (...args: string[]) => host.exec('skopeo', ['--insecure-policy', ...args]);
const docker = (endpoint: string, ...args: string[]) => host.exec('docker', ['--host', endpoint, ...args]);

beforeAll(async () => {
  lab = await useLab(['classic', 'current']);
  folder = await mkdtemp(join(tmpdir(), 'sources-'));
  const { repository, digest } = lab.images.uv;
  reference = `${lab.registry}/${repository}@${digest}`;
  const from = `docker://${reference}`;
  await skopeo('copy', '--quiet', '--all', '--src-tls-verify=false', from, `oci:${folder}/layout`);
  await skopeo('copy', '--quiet', '--all', '--src-tls-verify=false', from, `oci-archive:${folder}/oci.tar`);
  const one = ['--override-arch', 'amd64', 'copy', '--quiet', '--src-tls-verify=false', from];
  await skopeo(...one, `docker-archive:${folder}/docker.tar:localhost/sources-itg:one`);
  for (const endpoint of Object.values(lab.docker)) {
    await docker(endpoint, 'load', '--quiet', '--input', `${folder}/docker.tar`);
    loaded.push([endpoint, 'localhost/sources-itg:one']);
  }
});

afterAll(async () => {
  for (const [endpoint, name] of loaded) await docker(endpoint, 'rmi', name);
  await rm(folder, { recursive: true, force: true });
});

const facts = (findings: readonly Finding[], platform: Platform) =>
  findings
    .filter((finding) => finding.platform === undefined || finding.platform === platform)
    .map(({ rule, severity, subject, message }) => ({ rule, severity, subject, message }));

/** No label of the image tells. */
const family = { derivedFrom: 'standard' } as const;
const amd64: Platform = 'linux/amd64';

test('every source of the same image yields the same findings', async () => {
  const only = { ...family, platforms: [amd64] };
  const { report, pictures } = await checkCustom(lab, reference, only);
  // That the other platform was left out is said of an index; the other sources hold one platform.
  const judged = (findings: typeof report.findings) =>
    facts(
      findings.filter(({ rule }) => rule !== 'check/not-checked'),
      amd64,
    );
  const expected = judged(report.findings);
  expect(expected.length).toBeGreaterThan(5);
  const sources: (readonly [string, string, string?])[] = [
    ['oci', `oci:${folder}/layout`],
    ['oci-archive', `oci-archive:${folder}/oci.tar`],
    ['docker-archive', `docker-archive:${folder}/docker.tar`],
    ...Object.entries(lab.docker).map(
      ([kind, endpoint]) => [kind, 'docker-daemon:localhost/sources-itg:one', endpoint] as const,
    ),
  ];
  expect(sources).toHaveLength(5);
  for (const [name, image, dockerHost] of sources) {
    const found = await checkCustom(lab, image, { ...only, ...(dockerHost === undefined ? {} : { dockerHost }) });
    expect(found.pictures[0]?.config.rootfs.diff_ids, name).toEqual(pictures[0]?.config.rootfs.diff_ids);
    expect(judged(found.report.findings), name).toEqual(expected);
  }
});

test('an index means every platform, from a registry, a layout and an archive', async () => {
  for (const image of [reference, `oci:${folder}/layout`, `oci-archive:${folder}/oci.tar`]) {
    const { pictures } = await checkCustom(lab, image, family);
    expect(pictures.map(({ platform }) => platform).sort(), image).toEqual(['linux/amd64', 'linux/arm64']);
  }
});

test('the SARIF of a real check is valid by the schema of 2.1.0 and holds every finding', async () => {
  const { report } = await checkCustom(lab, `oci:${folder}/layout`, family);
  const file = new URL('../fixtures/sarif/sarif-2.1.0-rtm.5.json', import.meta.url);
  const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);
  const sarif = JSON.parse(formatReport(report, 'sarif')) as { runs: { results: unknown[] }[] };
  expect(validate(sarif), JSON.stringify(validate.errors)).toBe(true);
  expect(sarif.runs[0]?.results).toHaveLength(report.findings.length);
});
