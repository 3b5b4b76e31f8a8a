import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { loopbackRegistries, registriesConf } from '../../../src/engines/buildah-registries.ts';
import { bothPlatforms, dockerBuild, shell, words, type BenchPlatform } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Command, Contender, Trial } from '../types.ts';
import { under } from '../verdicts.ts';

/** buildah with a store of its own; the lab's loopback registry has to be named as insecure. */
async function buildahBuild(stage: Stage, platforms: readonly BenchPlatform[]): Promise<Command> {
  const { variant } = stage;
  const context = await stage.context(variant);
  const plan = await stage.plan(variant);
  const store = await stage.once('buildah store', async () => {
    const path = await stage.path('buildah', 'registries.conf');
    await writeFile(path, registriesConf(loopbackRegistries(plan.dockerfile.text)));
    return join(path, '..');
  });
  const root = ['--root', join(store, 'root'), '--runroot', join(store, 'run')];
  // Where runc and crun refuse the machine's control groups, only chroot works; elsewhere it is the faster one.
  const how = ['--layers', '--isolation', 'chroot', '--format', 'oci', '--network', 'host'];
  const args = await stage.buildArgs(variant);
  const builds = platforms.map((platform) => {
    const what = ['--platform', platform, '--tag', `bench:${platform.replace('/', '-')}`, '--file', 'Dockerfile'];
    return words([stage.peers.buildah.path, ...root, 'bud', ...how, ...what, ...args, '.']);
  });
  const command = shell(builds.join(' && '), {
    CONTAINERS_REGISTRIES_CONF: join(store, 'registries.conf'),
    BUILDAH_ISOLATION: undefined,
    DOCKER_CONFIG: undefined,
  });
  return { ...command, cwd: context };
}

/** An unchanged image built again: ours answers from the layout, the peers walk through their caches. */
export async function noChange(stage: Stage): Promise<Trial[]> {
  const { variant, quick } = stage;
  const { project } = await stage.layout();
  const reference = 'runner-image build, both platforms';
  const docker = (name: string, platforms: readonly BenchPlatform[]): Contender => ({
    name,
    needs: ['docker'],
    command: () => dockerBuild(stage, variant, platforms),
    note: 'memory is the docker command’s; the daemon’s is not counted',
  });
  const buildah = (name: string, platforms: readonly BenchPlatform[]): Contender => ({
    name,
    needs: ['buildah'],
    command: () => buildahBuild(stage, platforms),
    most: 5,
  });
  const [amd64] = bothPlatforms;
  return [
    {
      title: `${variant}, nothing changed`,
      reference,
      rounds: quick ? 5 : 15,
      contenders: [
        { name: reference, command: () => stage.ours(project, ['build', variant]), note: 'Node’s start included' },
        docker('docker build, amd64', [amd64]),
        docker('docker build, both platforms', bothPlatforms),
        // The first build of each is the warm-up; under --quick the emulated one would take the longest of all.
        buildah('buildah bud --layers, amd64', [amd64]),
        ...(quick ? [] : [buildah('buildah bud --layers, both platforms', bothPlatforms)]),
      ],
      judge: (rows) => under(rows, reference, 0.3),
      note: 'The peers’ first build, untimed, fills their caches.',
    },
  ];
}
