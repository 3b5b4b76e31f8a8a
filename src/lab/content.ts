import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrivateApt } from './apt.ts';
import { type Deb } from './apt.ts';
import { BlobStore } from './blobs.ts';
import { makeGhRelease, type GhRelease } from './gh.ts';
import { makeImages, type ImageNames } from './images.ts';
import { npmTarball } from './npm.ts';
import type { StandIn } from './oci-image.ts';
import { basePackages, ghPackage, pythonPackages, rpmCounterparts, type Architecture } from './packages.ts';
import { labSource, projectRoot } from './paths.ts';
import { makePython, type PythonArtifacts } from './python.ts';
import { makeRunnerRepository, type RunnerSource } from './runner-repo.ts';

export interface Content {
  readonly store: BlobStore;
  readonly images: { readonly base: StandIn; readonly uv: StandIn; readonly supervisor: StandIn };
  readonly gh: GhRelease;
  readonly python: PythonArtifacts;
  readonly runner: RunnerSource;
  readonly npmTarball: string;
  readonly site: string;
  readonly repositories: string;
  readonly sets: Readonly<Record<Architecture, string>>;
}

export type Sets = Readonly<Record<Architecture, ReadonlyMap<string, Deb>>>;

export async function solveSets(apt: PrivateApt): Promise<Sets> {
  const counterparts = Object.values(rpmCounterparts).flatMap(({ debs }) => debs);
  const names = [...new Set([...basePackages, ...counterparts, ...pythonPackages, ghPackage])];
  return { amd64: await apt.solve('images', 'amd64', names), arm64: await apt.solve('images', 'arm64', names) };
}

/** inputsHash covers what the lab's content is made from, so that an edit makes it anew. */
export async function inputsHash(): Promise<string> {
  const hash = createHash('sha256');
  const walk = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && entry.name !== '__pycache__') await walk(path);
      else if (entry.isFile() && !entry.name.endsWith('.test.ts')) hash.update(path).update(await readFile(path));
    }
  };
  await walk(labSource);
  hash.update(await readFile(join(projectRoot, 'images/pins.yaml')).catch(() => ''));
  return hash.digest('hex');
}

/** makeContent makes every artifact that the lab serves; what only packages decide comes from the cache. */
export async function makeContent(
  sets: Sets,
  cache: string,
  lab: string,
  packagesUrl: string,
  names: ImageNames,
): Promise<Content> {
  const store = new BlobStore(cache);
  const python = await makePython(join(cache, 'artifacts'), sets);
  const [images, gh, runner, tarball] = await Promise.all([
    makeImages(store, cache, sets, python, packagesUrl, names),
    makeGhRelease(join(cache, 'artifacts/site'), sets),
    makeRunnerRepository(join(lab, 'git'), python),
    npmTarball(cache),
  ]);
  const setFiles: Record<Architecture, string> = { amd64: '', arm64: '' };
  await mkdir(join(lab, 'server'), { recursive: true });
  for (const architecture of ['amd64', 'arm64'] as const) {
    setFiles[architecture] = join(lab, 'server', `${architecture}.json`);
    await writeFile(setFiles[architecture], JSON.stringify([...sets[architecture].values()]));
  }
  return {
    store,
    images,
    gh,
    python,
    runner,
    npmTarball: tarball,
    site: join(cache, 'artifacts/site'),
    repositories: join(lab, 'git'),
    sets: setFiles,
  };
}
