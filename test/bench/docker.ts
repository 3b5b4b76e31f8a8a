import type { Stage } from './stage.ts';
import type { Command } from './types.ts';

export const bothPlatforms = ['linux/amd64', 'linux/arm64'] as const;
export type BenchPlatform = (typeof bothPlatforms)[number];

/** quote makes one word for sh. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
export const words = (argv: readonly string[]): string => argv.map(quote).join(' ');

/** shell runs several commands one after the other, or as the pipeline that they are written as. */
export const shell = (script: string, env: Command['env'] = {}): Command => ({
  argv: ['/bin/sh', '-c', script],
  env,
});

export const dockerTag = (variant: string, platform: BenchPlatform): string =>
  `openshell-runner-bench/${variant}:${platform.replace('/', '-')}`;

/** dockerBuild is what a person types: the same Dockerfile, context and arguments, by the engine's own command. */
export async function dockerBuild(
  stage: Stage,
  variant: string,
  platforms: readonly BenchPlatform[],
  options: readonly string[] = [],
): Promise<Command> {
  const context = await stage.context(variant);
  const args = await stage.buildArgs(variant);
  const builds = platforms.map((platform) => {
    const tag = dockerTag(variant, platform);
    const where = ['--platform', platform, '--network', 'host', '--tag', tag, '--file', `${context}/Dockerfile`];
    return words([stage.peers.docker.path, 'build', '--quiet', ...options, ...where, ...args, context]);
  });
  return shell(builds.join(' && '), await stage.docker());
}

/** dockerImages has the variant's images in the engine's store, as `docker save` and `docker push` need them. */
export function dockerImages(stage: Stage, variant: string, platforms: readonly BenchPlatform[]): Promise<void> {
  return stage.once(`docker images ${variant} ${platforms.join()}`, async () => {
    stage.say(`docker build of ${variant} (${platforms.join(', ')}), untimed`);
    await stage.do(await dockerBuild(stage, variant, platforms));
    const tags = platforms.map((platform) => dockerTag(variant, platform));
    const env = await stage.docker();
    stage.later(() => stage.do({ argv: [stage.peers.docker.path, 'rmi', '--no-prune', ...tags], env }));
  });
}

/**
 * pruneCache makes the engine forget what it built, when it is the lab's own: an engine that the
 * machine shares with others keeps its cache, and --no-cache alone makes the build cold.
 */
export async function pruneCache(stage: Stage): Promise<void> {
  if (!stage.lab.daemons.some(({ name }) => name === 'dockerd')) return;
  const env = await stage.docker();
  await stage.do({ argv: [stage.peers.docker.path, 'builder', 'prune', '--all', '--force'], env });
}
