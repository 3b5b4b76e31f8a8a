import type { Release } from './release.ts';

/** One thing that demo or test runs for real. */
export interface Need {
  /** A command, looked for on PATH and in /usr/sbin; an absolute path is a file that must be there. */
  readonly command: string;
  readonly why: string;
  /** The package that brings it. */
  readonly debianPackage: string;
}

/** The other architecture than the machine's own, as QEMU names it. */
const foreign = process.arch === 'arm64' ? 'x86_64' : 'aarch64';

const everywhere: readonly Need[] = [
  { command: 'dockerd', why: 'the engine of the lab', debianPackage: 'docker.io' },
  { command: 'docker-registry', why: 'the registry of the lab', debianPackage: 'docker-registry' },
  { command: 'skopeo', why: 'another reader and writer of images', debianPackage: 'skopeo' },
  { command: 'buildah', why: 'the engine without a daemon', debianPackage: 'buildah' },
  { command: 'podman', why: 'the engine behind the Docker-compatible API', debianPackage: 'podman' },
  { command: 'umoci', why: 'another reader of layouts', debianPackage: 'umoci' },
  { command: 'rpmbuild', why: 'databases of packages, as rpm writes them', debianPackage: 'rpm' },
  { command: 'shellcheck', why: 'the linter of shell scripts', debianPackage: 'shellcheck' },
  { command: 'ssh', why: 'engines at ssh:// endpoints', debianPackage: 'openssh-client' },
  { command: 'ip', why: 'the bridges of the lab', debianPackage: 'iproute2' },
  { command: 'iptables', why: 'what dockerd looks for when it starts', debianPackage: 'iptables' },
  { command: 'unshare', why: 'the root of the second engine', debianPackage: 'util-linux' },
  { command: 'ps', why: 'who holds the lock of a bump', debianPackage: 'procps' },
  { command: 'git', why: 'revisions, and the repositories of the lab', debianPackage: 'git' },
  { command: 'perl', why: 'the password file of a registry', debianPackage: 'perl-base' },
  { command: 'openssl', why: 'the certificates of the lab', debianPackage: 'openssl' },
  { command: 'curl', why: 'servers, asked by another client', debianPackage: 'curl' },
  { command: 'zstd', why: 'layers that another program compressed', debianPackage: 'zstd' },
  { command: 'xz', why: 'packages of the lab', debianPackage: 'xz-utils' },
  { command: 'dpkg-deb', why: 'packages of the lab', debianPackage: 'dpkg' },
  {
    command: '/usr/share/keyrings/debian-archive-keyring.gpg',
    why: 'the signatures of the packages of the lab',
    debianPackage: 'debian-archive-keyring',
  },
];

/** One package with the daemon and the client. */
const joinedDocker: Need = { command: 'docker', why: 'the client of the engine', debianPackage: 'docker.io' };
/** The daemon's package only recommends its client and the builder that the client wants. */
const splitDocker: Need = { ...joinedDocker, debianPackage: 'docker-cli' };
/** A plugin has no fixed place (Docker's own packages have another than Debian's): the client is asked for it. */
export const buildxPlugin = 'docker buildx';
const buildx: Need = {
  command: buildxPlugin,
  why: 'the engine buildx; the client from Docker 23 on builds with it',
  debianPackage: 'docker-buildx',
};

/** QEMU built statically, registered with the kernel by binfmt-support. */
const staticEmulation: readonly Need[] = [
  {
    command: `qemu-${foreign}-static`,
    why: 'programs of the other architecture',
    debianPackage: 'qemu-user-static',
  },
  { command: 'update-binfmts', why: 'the registration of QEMU with the kernel', debianPackage: 'binfmt-support' },
];

/** From QEMU 9.1 on qemu-user is the static build, and systemd registers what qemu-user-binfmt lists. */
const emulation: readonly Need[] = [
  { command: `qemu-${foreign}`, why: 'programs of the other architecture', debianPackage: 'qemu-user' },
  {
    command: `/usr/lib/binfmt.d/qemu-${foreign}.conf`,
    why: 'the registration of QEMU with the kernel',
    debianPackage: 'qemu-user-binfmt',
  },
];

/** What is needed on each release, by its own package names. Debian 12 has no package of buildx; the lab fetches one. */
export const needs: Readonly<Record<Release, readonly Need[]>> = {
  'debian 12': [...everywhere, joinedDocker, ...staticEmulation],
  'debian 13': [...everywhere, splitDocker, buildx, ...emulation],
  'ubuntu 22.04': [...everywhere, joinedDocker, buildx, ...staticEmulation],
  'ubuntu 24.04': [...everywhere, joinedDocker, buildx, ...staticEmulation],
};
