/** Where uv 0.12.7 keeps the list of Pythons that it can install. */
export const pythonsPath = 'astral-sh/uv/0.12.7/crates/uv-python/download-metadata.json';

/** One build of Python 3.14.`patch` as uv's list has it; `day` is YYYYMMDD. */
export const pythonBuild = (patch: number, arch: string, day: string, sha256: string | null = 'a'.repeat(64)) => ({
  name: 'cpython',
  arch: { family: arch, variant: null },
  os: 'linux',
  libc: 'gnu',
  major: 3,
  minor: 14,
  patch,
  prerelease: '',
  url: `https://github.com/astral-sh/python-build-standalone/releases/download/${day}/cpython.tar.gz`,
  sha256,
  variant: null,
});

export const bothPythons = (patch: number, day: string) =>
  ['x86_64', 'aarch64'].map((arch) => pythonBuild(patch, arch, day));

export const pythonList = (...builds: readonly object[]): string =>
  JSON.stringify(Object.fromEntries(builds.map((one, at) => [`p${at}`, one])));
