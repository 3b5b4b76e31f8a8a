import { join, resolve } from 'node:path';
import { AppError, AppErrors, throwAll, type Where } from '../errors/index.ts';
import type { Definitions, FragmentDefinition, ImageDefinition, Pin, ReleasePin } from '../core/index.ts';
import type { Digest } from '../core/digest.ts';
import { assetName } from '../core/mirrors.ts';
import { architectureOf, platforms, type Platform } from '../core/platform.ts';
import { checksumOf, maxChecksumBytes, parseChecksums } from '../checksums/index.ts';
import { maxYamlBytes, readFragment, readImage, readPins, type PinEntry } from '../config/index.ts';
import type { Host } from '../host/index.ts';

export const defaultPinsFile = 'images/pins.yaml';

/** collect runs work and keeps its AppErrors, so that the problems of several files are reported at once. */
async function collect<T>(errors: AppError[], work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppErrors) errors.push(...error.errors);
    else if (error instanceof AppError) errors.push(error);
    else throw error;
    return undefined;
  }
}

async function withChecksums(host: Host, root: string, entry: Omit<ReleasePin, 'checksums'>): Promise<ReleasePin> {
  const file = entry.checksumFile;
  const lines = parseChecksums(await host.files.readText(resolve(root, file), maxChecksumBytes), file);
  const errors: AppError[] = [];
  const checksums: Partial<Record<Platform, Digest>> = {};
  for (const platform of platforms) {
    const asset = assetName(entry, architectureOf(platform));
    const digest = await collect(errors, () => checksumOf(lines, asset, file));
    if (digest !== undefined) checksums[platform] = digest;
  }
  throwAll(errors);
  return { ...entry, checksums: checksums as Record<Platform, Digest> };
}

/** Names that one pin takes from another: a misspelt one would otherwise go unnoticed. */
function checkReferences(
  entries: ReadonlyMap<string, PinEntry>,
  where: (path: readonly string[]) => Where,
): AppError[] {
  return [...entries].flatMap(([name, entry]) => {
    const key = entry.kind === 'rpms' ? 'base' : entry.kind === 'python' ? 'installedBy' : undefined;
    const target = entry.kind === 'rpms' ? entry.base : entry.kind === 'python' ? entry.installedBy : '';
    if (key === undefined || entries.get(target)?.kind === 'image') return [];
    return [
      new AppError('pins/unknown-reference', 'usage', `pin ${name}: ${key} names no image pin`, {
        found: target,
        where: where(['pins', name, key]),
      }),
    ];
  });
}

async function loadPins(
  host: Host,
  root: string,
  pinsFile: string,
  errors: AppError[],
): Promise<Pick<Definitions, 'pins' | 'lab'>> {
  const path = resolve(root, pinsFile);
  const read = await collect(errors, async () => readPins(await host.files.readText(path, maxYamlBytes), pinsFile));
  if (read === undefined) return { pins: new Map(), lab: false };
  errors.push(...checkReferences(read.value.entries, read.where));
  const pins = new Map<string, Pin>();
  for (const [name, entry] of read.value.entries) {
    const pin = entry.kind === 'release' ? await collect(errors, () => withChecksums(host, root, entry)) : entry;
    if (pin !== undefined) pins.set(name, pin);
  }
  return { pins, lab: read.value.lab };
}

async function loadFragments(host: Host, root: string, errors: AppError[]): Promise<Map<string, FragmentDefinition>> {
  const fragments = new Map<string, FragmentDefinition>();
  const folder = 'images/fragments';
  for (const name of await host.files.list(join(root, folder))) {
    if (!name.endsWith('.dockerfile')) continue;
    const file = `${folder}/${name}`;
    const key = name.slice(0, -'.dockerfile'.length);
    const fragment = await collect(errors, async () =>
      readFragment(await host.files.readText(join(root, file), maxYamlBytes), file, key),
    );
    if (fragment !== undefined) fragments.set(key, fragment);
  }
  return fragments;
}

async function loadImages(host: Host, root: string, errors: AppError[]): Promise<ImageDefinition[]> {
  const images: ImageDefinition[] = [];
  for (const name of await host.files.list(join(root, 'images'))) {
    const file = `images/${name}/image.yaml`;
    if ((await host.files.stat(join(root, file)))?.type !== 'file') continue;
    const read = await collect(errors, async () =>
      readImage(await host.files.readText(join(root, file), maxYamlBytes), file),
    );
    if (read === undefined) continue;
    if (read.value.image !== name)
      errors.push(
        new AppError('config/value', 'usage', 'image: must be the name of its folder', {
          expected: name,
          found: read.value.image,
          where: read.where(['image']),
        }),
      );
    images.push(read.value);
  }
  const seen = new Set<string>();
  for (const { file, variants } of images)
    for (const { name } of variants) {
      if (seen.has(name))
        errors.push(new AppError('config/value', 'usage', `a second variant is called ${name}`, { where: { file } }));
      seen.add(name);
    }
  return images;
}

async function demandProject(host: Host, root: string): Promise<void> {
  if ((await host.files.stat(join(root, 'images')))?.type === 'directory') return;
  throw new AppError('plan/no-project', 'usage', `${root} is no project that images are made from`, {
    expected: 'a folder images/ with pins.yaml',
    found: 'no such folder',
    hint: 'name the project: --root DIR',
  });
}

/** loadPinsAlone reads the pins and the checksum files that they name: enough to ask what has become of them. */
export async function loadPinsAlone(
  host: Host,
  root: string,
  pinsFile = defaultPinsFile,
): Promise<Pick<Definitions, 'pins' | 'pinsFile'>> {
  await demandProject(host, root);
  const errors: AppError[] = [];
  const { pins } = await loadPins(host, root, pinsFile, errors);
  throwAll(errors);
  return { pins, pinsFile };
}

/**
 * loadDefinitions reads everything under images/ and the checksum files that the pins name, and
 * throws every problem of every file at once. `pinsFile` is relative to the project or absolute.
 */
export async function loadDefinitions(host: Host, root: string, pinsFile = defaultPinsFile): Promise<Definitions> {
  await demandProject(host, root);
  const errors: AppError[] = [];
  const { pins, lab } = await loadPins(host, root, pinsFile, errors);
  const fragments = await loadFragments(host, root, errors);
  const images = await loadImages(host, root, errors);
  throwAll(errors);
  return { pins, lab, pinsFile, fragments, images };
}
