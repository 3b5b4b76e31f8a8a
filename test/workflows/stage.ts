import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import {
  architectureOf,
  labelNames,
  mediaTypes,
  toOciPlatform,
  type Plan,
  type Platform,
} from '../../src/core/index.ts';
import { annotationsOf } from '../../src/flows/build/index.ts';
import { openBuilt } from '../../src/flows/built.ts';
import {
  beginEvidence,
  buildBy,
  readEvidence,
  writeEvidence,
  type Evidence,
  type Run,
} from '../../src/evidence/index.ts';
import { createLayout, writeImageIndex } from '../../src/oci/index.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { sha256, tar } from '../oci/support.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';

export const head = 'a'.repeat(40);

/** A work tree with the project's definitions; images go to `registry` instead of Quay. */
export async function workTree(registry?: string): Promise<string> {
  // A colon ends a path of `oci:`: no name that the program makes for itself may rely on there being none.
  const root = await mkdtemp(join(tmpdir(), 'ci:test-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const part of ['images', 'checksums', 'package.json', 'docs/rules.md'])
    await cp(join(project, part), join(root, part), { recursive: true });
  if (registry === undefined) return root;
  for (const image of ['openshell', 'standard']) {
    const file = join(root, `images/${image}/image.yaml`);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('quay.io/', `${registry}/`));
  }
  return root;
}

/** A machine whose git says that `commit` is checked out, committed at `time`. */
export function machine(env: Record<string, string> = {}, commit = head, time = '1750000000', status = ''): FakeHost {
  return fakeHost({
    env,
    run: async (_command, args) => {
      const state = `# branch.oid ${commit}\n${status}`;
      const stdout = args.includes('rev-parse') ? commit : args.includes('log') ? time : state;
      return { exitCode: 0, stdout: `${stdout}\n`, stderr: '' };
    },
  });
}

export interface PartOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly expires?: string;
  /** What the config says, when it is not what the index says. */
  readonly architecture?: string;
  readonly body?: string;
  /** Who built it, as `build` writes it beside the layout; otherwise nothing is written. */
  readonly engine?: { readonly product: string; readonly version: string };
  /** What was seen when it was started, as `check --run --evidence` records it beside the engine. */
  readonly run?: Pick<Run, 'errors' | 'checks'>;
  /** A Debian package that the image's own list names. */
  readonly installed?: string;
}

/** What one machine's `build --platform` leaves: a layout with an index of one platform. */
export async function part(root: string, name: string, plan: Plan, platform: Platform, options: PartOptions = {}) {
  const host = fakeHost();
  const directory = join(root, name);
  const layout = await createLayout(host, directory);
  const { installed } = options;
  const status = `Package: ${installed ?? ''}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: ${architectureOf(platform)}\n\n`;
  const list = installed === undefined ? [] : [{ name: 'var/lib/dpkg/status', body: status }];
  const plain = await tar([{ name: 'etc/os', body: options.body ?? `for ${platform}` }, ...list]);
  const layer = await layout.put(Readable.from([gzipSync(plain)]));
  const expires = options.expires === undefined ? {} : { [labelNames.expires]: options.expires };
  const labels = {
    [labelNames.variant]: plan.variant,
    [labelNames.inputDigest]: plan.inputDigest,
    [labelNames.revision]: plan.buildArgs['GIT_COMMIT'] ?? '',
    ...expires,
    ...options.labels,
  };
  const config = await layout.putJson(mediaTypes.config, {
    architecture: options.architecture ?? architectureOf(platform),
    os: 'linux',
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: [sha256(plain)] },
  });
  const manifest = await layout.putJson(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [{ mediaType: mediaTypes.layerGzip, ...layer }],
  });
  await writeImageIndex(
    layout,
    [{ ...manifest, platform: toOciPlatform(platform) }],
    annotationsOf(plan, options.expires),
  );
  const { engine, run } = options;
  if (engine !== undefined)
    await beginEvidence(host, await openBuilt(host, directory), plan, {
      builds: [buildBy(engine, platform, manifest.digest)],
      runs: run === undefined ? [] : [{ platform, manifest: manifest.digest, at: '2026-01-02T03:04:05.000Z', ...run }],
    });
  return directory;
}

/** seenWell: a run in which a check passed. */
export const seenWell: Pick<Run, 'errors' | 'checks'> = {
  errors: 0,
  checks: [{ check: 'probe/health', state: 'passed' }],
};

/** gated writes into a layout's evidence that the gate let it through, and returns all of it. */
export async function gated(layout: string): Promise<Evidence> {
  const host = fakeHost();
  const filed = await readEvidence(host, layout);
  if (filed === undefined) throw new Error(`no evidence in ${layout}`);
  const gate = { passed: true, at: '2026-01-02T03:04:05.000Z', errors: 0, warnings: 0, waived: 0, broken: [] };
  const { platforms } = filed.evidence;
  const runs = platforms.map((image) => ({ ...image, at: gate.at, ...seenWell }));
  return (await writeEvidence(host, { file: filed.file, evidence: { ...filed.evidence, runs, gate } })).evidence;
}
