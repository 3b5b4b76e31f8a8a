import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bothPlatforms, dockerImages, dockerTag, shell, words } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Command, Contender, Trial } from '../types.ts';
import { memoryUnder, under, within } from '../verdicts.ts';

const reference = 'runner-image publish';

interface Target {
  /** `host:port` of the registry, which may be another one by the time of the next run. */
  host(): Promise<string>;
  /** Untimed, before each run. */
  readonly prepare: () => Promise<void>;
  readonly most: { readonly docker: number };
}

async function rootDigest(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  return index.manifests[0]?.digest ?? '';
}

async function dockerPush(stage: Stage, host: string): Promise<Command> {
  const env = await stage.docker();
  const docker = stage.peers.docker.path;
  const pushes = bothPlatforms.map((platform) => {
    const target = `${host}/bench/docker:${platform.replace('/', '-')}`;
    return words([docker, 'push', '--quiet', target]);
  });
  return shell(pushes.join(' && '), env);
}

async function tagForDocker(stage: Stage, host: string): Promise<void> {
  await dockerImages(stage, stage.variant, bothPlatforms);
  const env = await stage.docker();
  const docker = stage.peers.docker.path;
  for (const platform of bothPlatforms) {
    const target = `${host}/bench/docker:${platform.replace('/', '-')}`;
    await stage.once(`tag ${target}`, async () => {
      await stage.do({ argv: [docker, 'tag', dockerTag(stage.variant, platform), target], env });
      stage.later(() => stage.do({ argv: [docker, 'rmi', '--no-prune', target], env }));
    });
  }
}

async function contenders(stage: Stage, target: Target): Promise<Contender[]> {
  const { project, directory } = await stage.layout();
  const { crane, oras, skopeo } = stage.peers;
  const digest = await rootDigest(directory);
  const { prepare } = target;
  const to = async (name: string): Promise<string> => `${await target.host()}/bench/${name}:bench`;
  return [
    {
      name: reference,
      prepare,
      command: async () => {
        const repository = `${await target.host()}/bench/ours`;
        return stage.ours(project, ['publish', stage.variant, '--skip-gate', '--to', repository, '--tag', 'bench']);
      },
      note: 'plan, push by digest, then two tags moved; Node’s start included',
    },
    {
      name: 'crane push',
      needs: ['crane'],
      prepare,
      command: async () => ({ argv: [crane.path, 'push', directory, await to('crane')] }),
    },
    {
      name: 'oras cp',
      needs: ['oras'],
      prepare,
      command: async () => {
        const from = ['--from-oci-layout', `${directory}@${digest}`, '--to-plain-http'];
        return { argv: [oras.path, 'cp', '--no-tty', ...from, await to('oras')] };
      },
    },
    {
      name: 'skopeo copy --all',
      needs: ['skopeo'],
      prepare,
      command: async () => {
        const how = ['copy', '--all', '--quiet', '--dest-tls-verify=false'];
        const target_ = `docker://${await to('skopeo')}`;
        return { argv: [skopeo.path, '--insecure-policy', ...how, `oci:${directory}`, target_] };
      },
    },
    {
      name: 'docker push',
      needs: ['docker'],
      most: target.most.docker,
      warm: false,
      prepare: async () => {
        await prepare();
        await tagForDocker(stage, await target.host());
      },
      command: async () => dockerPush(stage, await target.host()),
      note: 'from the engine’s classic store, both platforms one after the other, no index; memory is the docker command’s, the daemon’s is not counted',
    },
  ];
}

/** Pushes of one layout, to a registry that has nothing and to one that has it all. */
export async function push(stage: Stage): Promise<Trial[]> {
  const host = async (): Promise<string> => (await stage.registry()).host;
  const fresh: Target = {
    host,
    prepare: async () => {
      await stage.freshRegistry();
    },
    most: { docker: 1 },
  };
  const unchanged: Target = { host, prepare: async () => undefined, most: { docker: 3 } };
  const again = await contenders(stage, unchanged);
  return [
    {
      title: `${stage.variant}, both platforms, fresh push`,
      reference,
      rounds: stage.quick ? 2 : 7,
      contenders: await contenders(stage, fresh),
      judge: (rows) => [
        ...within(rows, reference, 'crane push', 1.2),
        ...within(rows, reference, 'oras cp', 1.2),
        ...memoryUnder(rows, reference, 250),
      ],
      note: 'docker-registry on loopback, started with no data before every run.',
    },
    {
      title: `${stage.variant}, both platforms, unchanged push`,
      reference,
      rounds: stage.quick ? 5 : 15,
      // The first, untimed, round is the push that the others find unchanged.
      contenders: again.map(({ warm: _warm, ...contender }) => contender),
      judge: (rows) => [...under(rows, reference, 0.25), ...memoryUnder(rows, reference, 250)],
    },
  ];
}
