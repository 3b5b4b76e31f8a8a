import { AppError, exitCodes, renderError } from '../src/errors/index.ts';
import { createHost, type Host } from '../src/host/index.ts';

/**
 * What demo and test run for real, as the command that shows it is there and the Debian package
 * that brings it. A machine that already has the command, from wherever, is left as it is:
 * docker.io would push out a Docker that came from another repository.
 */
const needed: readonly (readonly [command: string, debianPackage: string])[] = [
  ['dockerd', 'docker.io'],
  ['docker-registry', 'docker-registry'],
  ['skopeo', 'skopeo'],
  ['buildah', 'buildah'],
  ['podman', 'podman'],
  ['umoci', 'umoci'],
  ['rpmbuild', 'rpm'],
  ['qemu-aarch64-static', 'qemu-user-static'],
  ['update-binfmts', 'binfmt-support'],
  ['shellcheck', 'shellcheck'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['unshare', 'util-linux'],
  ['git', 'git'],
  ['openssl', 'openssl'],
  ['curl', 'curl'],
  ['zstd', 'zstd'],
  ['xz', 'xz-utils'],
  ['dpkg-deb', 'dpkg'],
];

async function missing(host: Host): Promise<string[]> {
  const found = await Promise.all(
    needed.map(async ([command, debianPackage]) => {
      const { exitCode } = await host.exec('sh', ['-c', 'command -v "$1" || test -x "/usr/sbin/$1"', 'sh', command]);
      return exitCode === 0 ? [] : [debianPackage];
    }),
  );
  return found.flat();
}

async function install(host: Host, packages: readonly string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const run = async (step: string, ...rest: readonly string[]) => {
    const args = [step, ...rest];
    const result = isRoot ? await apt(host, 'apt-get', args) : await apt(host, 'sudo', ['apt-get', ...args]);
    if (result.exitCode !== 0) {
      throw new AppError('setup/apt', 'machine', `apt-get ${step} failed`, {
        found: result.stderr.trim().split('\n').slice(-3).join(' | '),
        hint: `install these packages by hand: ${packages.join(' ')}`,
      });
    }
  };
  await run('update');
  await run('install', '-y', '--no-install-recommends', ...packages);
}

const apt = (host: Host, command: string, args: readonly string[]) =>
  host.exec(command, args, { env: { DEBIAN_FRONTEND: 'noninteractive' } });

const host = createHost();
try {
  const packages = await missing(host);
  if (packages.length > 0) {
    const task = host.story.task(`installing ${packages.join(' ')}`);
    await install(host, packages);
    task.done();
  }
} catch (error) {
  process.stderr.write(`${renderError(error)}\n`);
  process.exitCode = error instanceof AppError ? error.exit : exitCodes.machine;
}
