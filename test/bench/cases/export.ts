import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerImages, dockerTag, quote, shell, words } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Contender, Trial } from '../types.ts';
import { fastest } from '../verdicts.ts';
import { exportSeconds } from './cold-build.ts';

const reference = 'runner-image: engine → layout';

/** From an image in the engine's store to compressed layers on the disk. */
export async function layoutExport(stage: Stage): Promise<Trial[]> {
  const { variant } = stage;
  const project = await stage.project('export');
  const layout = join(project, 'dist', variant);
  const file = await stage.path('export', 'image.tar.gz');
  const prepare = async (): Promise<void> => {
    await dockerImages(stage, variant, ['linux/amd64']);
    for (const path of [layout, file]) await rm(path, { recursive: true, force: true });
  };
  const save = async (name: string, compressor: readonly string[], needs: Contender['needs']): Promise<Contender> => {
    const docker = [stage.peers.docker.path, 'save', dockerTag(variant, 'linux/amd64')];
    const script = `${words(docker)} | ${words(compressor)} > ${quote(file)}`;
    const env = await stage.docker();
    return { name, needs: ['docker', ...(needs ?? [])], prepare, command: () => shell(script, env) };
  };
  const { gzip, pigz } = stage.peers;
  return [
    {
      title: `${variant}, linux/amd64, from Docker’s store to a compressed image`,
      reference,
      rounds: stage.quick ? 1 : 3,
      contenders: [
        {
          name: reference,
          needs: ['docker'],
          prepare,
          command: () => stage.ours(project, ['build', variant, '--platform', 'linux/amd64', '--force', '--json']),
          parts: (run) => [{ name: reference, seconds: exportSeconds(run) }],
          note: 'the export of a build whose steps are all cached, as it reports it; verified, every layer rewritten with fixed times and digests, the base’s own blobs fetched, flushed to the disk; memory is the whole command’s',
        },
        await save('docker save | gzip -6', [gzip.path], ['gzip']),
        await save('docker save | pigz -6', [pigz.path], ['pigz']),
        await save('docker save | pigz -4', [pigz.path, '-4'], ['pigz']),
      ],
      judge: (rows) => fastest(rows, reference),
      note: 'The pipelines give one compressed archive of plain layers, no layout that a registry takes.',
    },
  ];
}
