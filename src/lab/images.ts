import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deb } from './apt.ts';
import { baseParts } from './base.ts';
import type { BlobStore } from './blobs.ts';
import { file, type TarEntry } from './entries.ts';
import { makeImage, type ImageParts, type StandIn } from './oci-image.ts';
import type { Architecture } from './packages.ts';
import { labSource } from './paths.ts';
import type { PythonArtifacts } from './python.ts';

/** What the project's pins call the three upstream images. */
export interface ImageNames {
  readonly base: { readonly repository: string; readonly tag: string };
  readonly uv: { readonly repository: string; readonly tag: string };
  readonly supervisor: { readonly repository: string; readonly tag: string };
}

const standIn = async (name: string): Promise<string> => readFile(join(labSource, 'stand-ins', name), 'utf8');

async function sameForBoth(
  store: BlobStore,
  entries: readonly TarEntry[],
  createdBy: string,
): Promise<Record<Architecture, ImageParts>> {
  const layer = await store.addLayer(entries);
  const config = { Labels: { 'io.ambient-code.lab': 'true' } };
  const parts: ImageParts = { layers: [{ layer, createdBy }], config };
  return { amd64: parts, arm64: parts };
}

/** makeImages makes the three upstream images that the Dockerfiles name. */
export async function makeImages(
  store: BlobStore,
  cache: string,
  sets: Readonly<Record<Architecture, ReadonlyMap<string, Deb>>>,
  python: PythonArtifacts,
  packagesUrl: string,
  names: ImageNames,
): Promise<{ readonly base: StandIn; readonly uv: StandIn; readonly supervisor: StandIn }> {
  const uv = (await standIn('uv'))
    .replace('@INTERPRETERS@', JSON.stringify(python.interpreters))
    .replace('@VERSION@', names.uv.tag);
  const uvx = '#!/bin/sh\nexec uv tool run "$@"\n';
  const uvParts = await sameForBoth(store, [file('uv', uv, 0o755), file('uvx', uvx, 0o755)], "lab: uv's stand-in");
  const supervisor = file('openshell-sandbox', await standIn('openshell-sandbox'), 0o755);
  const supervisorParts = await sameForBoth(store, [supervisor], "lab: the supervisor's stand-in");
  const base = await baseParts(store, cache, sets, packagesUrl);
  const make = async (key: keyof ImageNames, parts: Record<Architecture, ImageParts>): Promise<StandIn> =>
    makeImage(store, names[key].repository, names[key].tag, parts);
  return {
    base: await make('base', base),
    uv: await make('uv', uvParts),
    supervisor: await make('supervisor', supervisorParts),
  };
}
