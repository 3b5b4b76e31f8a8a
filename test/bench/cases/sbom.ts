import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, shell, words } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Trial } from '../types.ts';
import { memoryUnder, within } from '../verdicts.ts';

const reference = 'runner-image sbom';
const unpacking = 'skopeo copy + umoci unpack + trivy rootfs';
const architectures = ['amd64', 'arm64'] as const;

/** CycloneDX of both platforms. trivy as it can be had here reads directories: unpacking is part of the way. */
export async function sbom(stage: Stage): Promise<Trial[]> {
  const { project, directory } = await stage.layout();
  const { skopeo, umoci, trivy } = stage.peers;
  const out = await stage.path('sbom', 'out');
  const scan = (architecture: string): string => {
    const tree = `${out}/${architecture}`;
    const copy = ['--insecure-policy', '--override-arch', architecture, 'copy', '--quiet'];
    const how = ['--format', 'cyclonedx', '--offline-scan', '--skip-db-update', '--quiet'];
    const rootfs = [trivy.path, 'rootfs', ...how, '--cache-dir', `${out}/cache`, `${tree}.tree/rootfs`];
    return [
      words([skopeo.path, ...copy, `oci:${directory}`, `oci:${tree}:bench`]),
      `${words([umoci.path, 'unpack', '--image', `${tree}:bench`, `${tree}.tree`])} > /dev/null`,
      `${words(rootfs)} > ${quote(`${tree}.json`)}`,
    ].join(' && ');
  };
  const clean = async (): Promise<void> => rm(out, { recursive: true, force: true });
  return [
    {
      title: `${stage.variant}: SBOM of both platforms, CycloneDX`,
      reference,
      rounds: stage.quick ? 2 : 7,
      contenders: [
        {
          name: reference,
          prepare: clean,
          command: () => stage.ours(project, ['sbom', `oci:${directory}`, '--output', join(out, 'ours')]),
          note: 'distribution, npm, Python and Go packages and the pins, each with its layer',
        },
        {
          name: unpacking,
          needs: ['trivy', 'skopeo', 'umoci'],
          prepare: clean,
          command: () => shell([`mkdir -p ${quote(out)}`, ...architectures.map(scan)].join(' && ')),
          most: 2,
          warm: false,
          note: 'one platform after the other; the build of trivy that npm has reads directories only',
        },
      ],
      judge: (rows) => [...within(rows, reference, unpacking, 1), ...memoryUnder(rows, reference, 400)],
    },
  ];
}
