import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf, parseIndex, parseManifest, type Descriptor } from '../../../src/core/index.ts';
import { quote, shell, words } from '../docker.ts';
import type { Stage } from '../stage.ts';
import { large, makeSynthetic, small } from '../synthetic.ts';
import type { Contender, Trial } from '../types.ts';
import { fastest, memoryUnder, within } from '../verdicts.ts';

const reference = 'runner-image check';
const limit = 'bare limit: pigz -dc | openssl sha256';

interface Subject {
  readonly title: string;
  readonly key: string;
  readonly layout: string;
  readonly project: string;
  readonly arguments: readonly string[];
}

interface Described {
  readonly architectures: readonly string[];
  /** Paths of the layers' blobs, each once, largest first. */
  readonly layers: readonly string[];
  readonly bytes: number;
}

async function describe(layout: string): Promise<Described> {
  const read = (digest: Descriptor['digest']) => readFile(join(layout, 'blobs/sha256', hexOf(digest)));
  const top = parseIndex(await readFile(join(layout, 'index.json'))).manifests[0];
  if (top === undefined) throw new Error(`${layout} is empty`);
  const manifests = top.mediaType.includes('index') ? parseIndex(await read(top.digest)).manifests : [top];
  const layers = new Map<string, number>();
  for (const { digest } of manifests)
    for (const layer of parseManifest(await read(digest)).layers) layers.set(hexOf(layer.digest), layer.size);
  const sorted = [...layers].sort(([, a], [, b]) => b - a);
  return {
    architectures: manifests.map(({ platform }) => platform?.architecture ?? 'amd64'),
    layers: sorted.map(([hex]) => join(layout, 'blobs/sha256', hex)),
    bytes: sorted.reduce((sum, [, size]) => sum + size, 0),
  };
}

/** umoci takes one platform under a tag, so skopeo picks it out of the index first: part of the way. */
function unpack(stage: Stage, subject: Subject, architecture: string, into: string): string {
  const { skopeo, umoci } = stage.peers;
  const copy = ['--insecure-policy', '--override-arch', architecture, 'copy', '--quiet'];
  const one = `${into}/${architecture}`;
  return [
    `mkdir -p ${quote(into)}`,
    words([skopeo.path, ...copy, `oci:${subject.layout}`, `oci:${one}:bench`]),
    `${words([umoci.path, 'unpack', '--image', `${one}:bench`, `${one}.tree`])} > /dev/null`,
  ].join(' && ');
}

/** crane exports from a registry only. */
function pushed(stage: Stage, subject: Subject): Promise<string> {
  return stage.once(`pushed ${subject.key}`, async () => {
    const target = `${(await stage.registry()).host}/bench/${subject.key}:bench`;
    await stage.do({ argv: [stage.peers.crane.path, 'push', subject.layout, target] });
    return target;
  });
}

async function contenders(stage: Stage, subject: Subject): Promise<Contender[]> {
  const { architectures, layers } = await describe(subject.layout);
  const { peers } = stage;
  const into = await stage.path('trees', subject.key);
  const kept = await stage.path('kept', subject.key);
  const each = (script: (architecture: string) => string): string => architectures.map(script).join(' && ');
  const list = layers.map(quote).join(' ');
  return [
    {
      name: reference,
      command: () => stage.ours(subject.project, ['check', `oci:${subject.layout}`, ...subject.arguments], [0, 1]),
      note: 'every digest verified, whiteouts applied, every rule, the secret search included; Node’s start included',
    },
    {
      name: limit,
      needs: ['pigz', 'openssl'],
      command: () => {
        const one = `${quote(peers.pigz.path)} -dc "$1" | ${quote(peers.openssl.path)} dgst -sha256`;
        return shell(`printf '%s\\n' ${list} | xargs -P 2 -n 1 sh -c ${quote(one)} sh`);
      },
      note: 'two layers at a time, largest first: decompression and one of the two digests, nothing read or answered',
    },
    {
      name: 'crane export | tar tv',
      needs: ['crane', 'tar'],
      prepare: async () => {
        await pushed(stage, subject);
      },
      command: async () => {
        const from = await pushed(stage, subject);
        const one = (architecture: string): string => {
          const crane = [peers.crane.path, 'export', '--platform', `linux/${architecture}`, from, '-'];
          return `${words(crane)} | ${quote(peers.tar.path)} -tv > /dev/null`;
        };
        return shell(each(one));
      },
      most: 3,
      note: 'from the loopback registry, one platform after the other',
    },
    {
      name: 'skopeo copy, umoci unpack, find',
      needs: ['skopeo', 'umoci'],
      prepare: () => rm(into, { recursive: true, force: true }),
      command: () => {
        const find = `find ${quote(into)} -printf '%m %U %G %s %p\\n' > /dev/null`;
        return shell(`${each((architecture) => unpack(stage, subject, architecture, into))} && ${find}`);
      },
      most: 2,
      warm: false,
    },
    {
      name: 'trivy rootfs --scanners secret',
      needs: ['trivy', 'skopeo', 'umoci'],
      prepare: () =>
        stage.once(`kept ${subject.key}`, async () => {
          await stage.do(shell(each((architecture) => unpack(stage, subject, architecture, kept))));
        }),
      command: () => {
        const how = ['--scanners', 'secret', '--offline-scan', '--skip-db-update', '--quiet'];
        const cache = ['--cache-dir', `${kept}/cache`];
        const scan = (architecture: string): string =>
          words([peers.trivy.path, 'rootfs', ...how, ...cache, `${kept}/${architecture}.tree/rootfs`]);
        return shell(each((architecture) => `${scan(architecture)} > /dev/null`));
      },
      most: 2,
      warm: false,
      note: 'the trees were unpacked before, untimed; secrets alone',
    },
  ];
}

async function trial(stage: Stage, subject: Subject, rounds: number): Promise<Trial> {
  const { architectures, bytes } = await describe(subject.layout);
  return {
    title: `${subject.title}: ${architectures.join(' and ')}, ${(bytes / 1e6).toFixed(0)} MB of layers`,
    reference,
    rounds,
    contenders: await contenders(stage, subject),
    judge: (rows) => [
      ...within(rows, reference, limit, 1.3),
      ...fastest(rows, reference, [limit]),
      ...memoryUnder(rows, reference, 250),
    ],
  };
}

/** Static checks: the lab's image with every platform, and a large one made for it. */
export async function staticCheck(stage: Stage): Promise<Trial[]> {
  const { project, directory } = await stage.layout();
  const size = stage.quick ? small : large;
  const made = join(stage.lab.cache, 'bench', `synthetic-2-${size.files}-${size.bytes}`);
  stage.say(`synthetic image: ${size.files} files, ${size.bytes / 1e6} MB (cached after the first time)`);
  await makeSynthetic(stage.host, made, size);
  const lab = { title: stage.variant, key: 'lab', layout: directory, project, arguments: [] };
  const synthetic = {
    title: `${size.files} files of ${(size.bytes / 1e9).toFixed(2)} GB`,
    ...{ key: 'synthetic', layout: made, project, arguments: ['--profile', 'openshell'] },
  };
  return [await trial(stage, lab, stage.quick ? 2 : 5), await trial(stage, synthetic, stage.quick ? 2 : 5)];
}
