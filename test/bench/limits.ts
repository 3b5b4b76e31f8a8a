/** `npm run bench:limits`: memory and time of `check` for images at any size; `--write` makes docs/limits.md of it. */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { maxManifestBytes, type Digest } from '../../src/core/index.ts';
import { defaultLimits } from '../../src/oci/walk/limits.ts';
import { maxWindow } from '../../src/oci/zstd.ts';
import { diffIdOf, gzip, gzipState, manyFiles, zeros } from '../oci/hostile/giant.ts';
import { archive, pax, raw } from '../oci/hostile/raw.ts';
import { describeMachine, formatMachine } from './machine.ts';
import { measure } from './measure.ts';

const root = resolve(import.meta.dirname, '../..');
const types = {
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  config: 'application/vnd.oci.image.config.v1+json',
};

interface Layer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly bytes: number;
}

const sha256 = (bytes: Buffer | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/** Layout is an image in the making: its blobs go to a folder as they come. */
class Layout {
  readonly path: string;
  readonly layers: Layer[] = [];

  constructor(path: string) {
    this.path = path;
    mkdirSync(join(path, 'blobs/sha256'), { recursive: true });
  }

  private blob(digest: Digest): string {
    return join(this.path, 'blobs/sha256', digest.slice(7));
  }

  async add(make: () => Iterable<Buffer>): Promise<void> {
    const state = gzipState();
    const hash = createHash('sha256');
    for (const part of gzip(make(), state)) hash.update(part);
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    if (!existsSync(this.blob(digest)))
      await pipeline(Readable.from(gzip(make(), gzipState())), createWriteStream(this.blob(digest)));
    this.layers.push({ digest, size: statSync(this.blob(digest)).size, diffId: diffIdOf(state), bytes: state.size });
  }

  private put(document: object): { digest: Digest; size: number } {
    const text = JSON.stringify(document);
    const digest = sha256(text);
    writeFileSync(this.blob(digest), text);
    return { digest, size: Buffer.byteLength(text) };
  }

  finish(labels: Readonly<Record<string, string>> = {}): void {
    const rootfs = { type: 'layers', diff_ids: this.layers.map(({ diffId }) => diffId) };
    const config = this.put({ architecture: 'amd64', os: 'linux', config: { Labels: labels }, rootfs });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const layers = this.layers.map(({ digest, size }) => ({ mediaType: types.layer, digest, size }));
    const manifest = this.put({ schemaVersion: 2, mediaType, config: { mediaType: types.config, ...config }, layers });
    const platform = { os: 'linux', architecture: 'amd64' };
    writeFileSync(
      join(this.path, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType, ...manifest, platform }] }),
    );
    writeFileSync(join(this.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  }
}

const small = (name: string) => () => [archive(raw({ name, body: 'x' }))];
const sparse = () => [
  archive(
    pax({ 'GNU.sparse.map': '0,1', 'GNU.sparse.numblocks': '1', 'GNU.sparse.size': String(2 ** 50) }),
    raw({ name: 'a', body: 'x' }),
  ),
];
/** What is measured, by its name in the table. */
const images: Readonly<Record<string, (layout: Layout) => Promise<void>>> = {
  'one file': async (layout) => {
    await layout.add(small('a'));
    layout.finish();
  },
  '10 GiB of zeros in one file': async (layout) => {
    await layout.add(() => zeros(10 * 2 ** 30));
    layout.finish();
  },
  '1,000,000 files': async (layout) => {
    await layout.add(() => manyFiles(1000));
    layout.finish();
  },
  '3,000,000 files': async (layout) => {
    await layout.add(() => manyFiles(3000));
    layout.finish();
  },
  [`${defaultLimits.entries + 1000} files`]: async (layout) => {
    await layout.add(() => manyFiles(defaultLimits.entries / 1000 + 1));
    layout.finish();
  },
  [`${defaultLimits.layers} layers`]: async (layout) => {
    for (let at = 0; at < defaultLimits.layers; at++) await layout.add(small(`f${at}`));
    layout.finish();
  },
  [`${defaultLimits.layers + 1} layers`]: async (layout) => {
    for (let at = 0; at <= defaultLimits.layers; at++) await layout.add(small(`f${at}`));
    layout.finish();
  },
  'a sparse file of 1 PiB in 2 kB': async (layout) => {
    await layout.add(sparse);
    layout.finish();
  },
  'a config of 3 MiB': async (layout) => {
    await layout.add(small('a'));
    layout.finish({ long: 'x'.repeat(3 << 20) });
  },
  'a config of 5 MiB': async (layout) => {
    await layout.add(small('a'));
    layout.finish({ long: 'x'.repeat(5 << 20) });
  },
};

const amount = (bytes: number): string =>
  bytes < 1e6
    ? `${(bytes / 1e3).toFixed(0)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(0)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`;

async function row(name: string, layout: Layout): Promise<string> {
  const argv = [
    process.execPath,
    join(root, 'bin/runner-image.mjs'),
    'check',
    `oci:${layout.path}`,
    '--profile',
    'standard',
    '--json',
    '--quiet',
  ] as const;
  const { seconds, peakBytes, stdout } = await measure(
    { argv, cwd: root, accepts: [0, 1, 2, 3] },
    new AbortController().signal,
  );
  const { error } = JSON.parse(stdout) as { error?: { message: string; expected?: string } };
  const outcome =
    error === undefined
      ? 'read'
      : `refused: ${error.message}${error.expected === undefined ? '' : ` (${error.expected})`}`;
  const stored = layout.layers.reduce((sum, { size }) => sum + size, 0);
  const bytes = layout.layers.reduce((sum, layer) => sum + layer.bytes, 0);
  const memory = peakBytes === undefined ? 'unknown' : amount(peakBytes);
  return `| ${name} | ${amount(stored)} | ${amount(bytes)} | ${memory} | ${seconds.toFixed(1)} s | ${outcome} |`;
}

const limits = [
  ['layers of an image', defaultLimits.layers],
  ['uncompressed bytes of a layer', defaultLimits.layerBytes],
  ['uncompressed bytes for each compressed one, past the first GiB', defaultLimits.ratio],
  ['paths that any layer wrote', defaultLimits.entries],
  ['bytes of all their names', defaultLimits.nameBytes],
  ['bytes of the files whose content a rule reads', defaultLimits.contentBytes],
  ['bytes of an index, a manifest or a config', maxManifestBytes],
  ['bytes of a zstd window', maxWindow],
] as const;

function page(rows: readonly string[], machine: string): string {
  return `# Limits

Written by \`npm run bench:limits -- --write\`; do not edit. An image comes from outside and may be made to fill a memory or
a disk: layers are read as streams, and what must be remembered of them has an upper limit. Past it the answer is an error
that names the limit, and exit code 3.

## Memory at any size

\`runner-image check\` of an OCI layout; *memory* is the process's largest resident set, as GNU time reports it.

| image | compressed | unpacked | memory | time | outcome |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

${machine}

## What is accepted

| what | at most |
| --- | ---: |
${limits.map(([what, most]) => `| ${what} | ${most.toLocaleString('en')} |`).join('\n')}
`;
}

const directory = join(tmpdir(), `runner-image-limits-${process.pid}`);
try {
  const machine = formatMachine(await describeMachine());
  const rows: string[] = [];
  for (const [name, make] of Object.entries(images)) {
    const layout = new Layout(join(directory, String(rows.length)));
    await make(layout);
    rows.push(
      await row(
        name.replace(/\d{5,}/, (digits) => Number(digits).toLocaleString('en')),
        layout,
      ),
    );
    process.stderr.write(`${rows.at(-1) ?? ''}\n`);
    rmSync(layout.path, { recursive: true });
  }
  const text = page(rows, machine);
  if (process.argv.includes('--write')) writeFileSync(join(root, 'docs/limits.md'), text);
  else process.stdout.write(text);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
