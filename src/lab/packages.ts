/**
 * What the lab takes from Debian: the suite whose Python, FastAPI, Node and QEMU were proven to
 * work together (MACHINE facts in the lab's README), and how the names of RPMs map to packages.
 */
export const suite = 'trixie';
export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

/** In the stand-in base, as UBI's own image has their counterparts. */
export const basePackages = [
  'base-files',
  'base-passwd',
  'bash',
  'ca-certificates',
  'coreutils',
  'curl',
  'dash',
  'debianutils',
  'diffutils',
  'dpkg',
  'findutils',
  'grep',
  'gzip',
  'hostname',
  'libc-bin',
  'login',
  'login.defs',
  'mawk',
  'ncurses-base',
  'passwd',
  'python3',
  'sed',
  'tar',
  'util-linux',
  'xz-utils',
] as const;

export interface RpmCounterpart {
  readonly debs: readonly string[];
  /** Links that the package's alternatives would have made: path → target. */
  readonly links?: Readonly<Record<string, string>>;
  /** npm comes from the npm registry: Debian's own is four hundred packages. */
  readonly npm?: true;
}

/** RPM name → its Debian counterpart. A name that is missing here makes `dnf` fail, as it should. */
export const rpmCounterparts: Readonly<Record<string, RpmCounterpart>> = {
  bash: { debs: ['bash'] },
  'bind-utils': { debs: ['bind9-dnsutils'] },
  'ca-certificates': { debs: ['ca-certificates'] },
  coreutils: { debs: ['coreutils'] },
  curl: { debs: ['curl'] },
  diffutils: { debs: ['diffutils'] },
  findutils: { debs: ['findutils'] },
  gcc: { debs: ['gcc'], links: { '/usr/bin/cc': 'gcc' } },
  'gcc-c++': { debs: ['g++'], links: { '/usr/bin/c++': 'g++' } },
  git: { debs: ['git'] },
  'git-core': { debs: ['git'] },
  'go-toolset': { debs: ['golang-go'] },
  gzip: { debs: ['gzip'] },
  hostname: { debs: ['hostname'] },
  iproute: { debs: ['iproute2'] },
  iputils: { debs: ['iputils-ping'] },
  jq: { debs: ['jq'] },
  less: { debs: ['less'] },
  make: { debs: ['make'] },
  nano: { debs: ['nano'] },
  'net-tools': { debs: ['net-tools'] },
  nftables: { debs: ['nftables'] },
  'nmap-ncat': { debs: ['ncat'], links: { '/usr/bin/nc': 'ncat' } },
  nodejs: { debs: ['nodejs'] },
  npm: { debs: ['nodejs'], npm: true },
  'openssh-clients': { debs: ['openssh-client'] },
  'openssh-server': { debs: ['openssh-server'] },
  patch: { debs: ['patch'] },
  'procps-ng': { debs: ['procps'] },
  python3: { debs: ['python3'] },
  'python3-devel': { debs: ['python3-dev'] },
  'python3-pip': { debs: ['python3-pip'] },
  'shadow-utils': { debs: ['passwd'] },
  tar: { debs: ['tar'] },
  unzip: { debs: ['unzip'] },
  'util-linux': { debs: ['util-linux'] },
  'vim-minimal': { debs: ['vim-tiny'], links: { '/usr/bin/vi': 'vim.tiny' } },
  which: { debs: ['debianutils'] },
  xz: { debs: ['xz-utils'] },
};

/** npm's command-line client for the images, as Node 20 and UBI 10 ship it. */
export const npmVersion = '10.9.4';

/** Python distributions of the stand-in runner's lock, by Debian package. */
export const pythonPackages = ['python3-fastapi', 'python3-uvicorn'] as const;

/** Debian packages that give other artifacts. */
export const ghPackage = 'gh';
export const enginePackages = [
  'docker.io',
  'containerd',
  'runc',
  'ca-certificates',
  'mount',
  'util-linux',
  'coreutils',
] as const;
export const emulatorPackage = 'qemu-user';
