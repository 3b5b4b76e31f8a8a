import { AppError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { buildxPlugin, needs, type Need } from './needs.ts';
import { parseOsRelease, releases, type Distribution } from './release.ts';

/** readDistribution says what this machine runs; a machine without /etc/os-release is unknown. */
export async function readDistribution(host: Host): Promise<Distribution> {
  return parseOsRelease(await host.files.readText('/etc/os-release', 65_536).catch(() => ''));
}

async function isThere(host: Host, { command }: Need): Promise<boolean> {
  // dockerd, ip and iptables lie where only root's PATH leads.
  const script =
    command === buildxPlugin ? 'docker buildx version >/dev/null 2>&1' : 'command -v "$1" || test -e "/usr/sbin/$1"';
  const { exitCode } = await host.exec('sh', ['-c', command.startsWith('/') ? 'test -e "$1"' : script, 'sh', command]);
  return exitCode === 0;
}

async function missing(host: Host, wanted: readonly Need[]): Promise<Need[]> {
  const found = await Promise.all(wanted.map((need) => isThere(host, need)));
  return wanted.filter((_need, at) => found[at] === false);
}

const packagesOf = (wanted: readonly Need[]): string[] => [
  ...new Set(wanted.map(({ debianPackage }) => debianPackage)),
];

async function install(host: Host, packages: readonly string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // --no-remove: docker.io would push out a Docker that came from another repository.
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', '--no-remove', ...packages]]) {
    const result = await (isRoot
      ? host.exec('apt-get', args, { env })
      : host.exec('sudo', ['apt-get', ...args], { env }));
    if (result.exitCode === 0) continue;
    const said = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => /^[EW]: /.test(line));
    throw new AppError('setup/apt', 'machine', `apt-get ${args[0] ?? ''} failed`, {
      found: (said.length > 0 ? said : result.stderr.trim().split('\n')).slice(-5).join(' | '),
      hint: `install these packages by hand, or give the machine a Docker with its client: ${packages.join(' ')}`,
    });
  }
}

const listed = (wanted: readonly Need[]): string => wanted.map(({ command, why }) => `${command} (${why})`).join(', ');

/** An unknown system may have everything, as one of the known releases has it. */
async function nearest(host: Host): Promise<readonly Need[]> {
  const lists = await Promise.all(
    releases.map(async (one) => ({ wanted: needs[one], lacking: (await missing(host, needs[one])).length })),
  );
  return lists.reduce((best, one) => (one.lacking < best.lacking ? one : best)).wanted;
}

/**
 * prepare installs what this release lacks of `needs` and returns the packages that it installed. What is there
 * already, from wherever, is left as it is. Throws `setup/release` on a system whose package names are unknown,
 * `setup/apt` when apt refuses, and `setup/missing` when a need is still unmet afterwards.
 */
export async function prepare(host: Host, { name, release }: Distribution): Promise<readonly string[]> {
  const wanted = release === undefined ? await nearest(host) : needs[release];
  const lacking = await missing(host, wanted);
  if (lacking.length === 0) return [];
  if (release === undefined)
    throw new AppError('setup/release', 'machine', `setup does not know the packages of ${name}`, {
      expected: releases.join(', '),
      found: name,
      hint: `install what brings these, then run the same again: ${listed(lacking)}`,
    });
  const packages = packagesOf(lacking);
  const task = host.progress.task(`installing ${packages.join(' ')}`);
  await install(host, packages);
  const still = await missing(host, wanted);
  if (still.length > 0)
    throw new AppError('setup/missing', 'machine', `${name} still lacks what demo and test run`, {
      expected: listed(still),
      found: `${packagesOf(still).join(' ')} installed, and the command not there`,
    });
  task.done();
  return packages;
}
