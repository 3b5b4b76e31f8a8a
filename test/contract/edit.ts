import type { PathOf, PictureOf } from '../support/picture.ts';

/** Edits of a sound image, for siblings that break one thing. Each returns a new image. */
export const withPath =
  (path: string, of: PathOf) =>
  (image: PictureOf): PictureOf => ({
    ...image,
    paths: { ...image.paths, [path]: { ...image.paths?.[path], ...of } },
  });

/** A new object in a path: nothing of what was there stays. */
export const replacing =
  (path: string, of: PathOf) =>
  (image: PictureOf): PictureOf => ({ ...image, paths: { ...image.paths, [path]: of } });

export const without =
  (...gone: string[]) =>
  (image: PictureOf): PictureOf => ({
    ...image,
    paths: Object.fromEntries(
      Object.entries(image.paths ?? {}).filter(
        ([path]) => !gone.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
      ),
    ),
  });

export const withEnv =
  (env: Record<string, string>, ...instructions: string[]) =>
  (image: PictureOf): PictureOf => ({
    ...image,
    env: { ...image.env, ...env },
    history: [...(image.history ?? []), ...instructions],
  });

const omit = (from: Record<string, string> | undefined, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(from ?? {}).filter(([key]) => key !== name));

export const withoutEnv =
  (name: string) =>
  (image: PictureOf): PictureOf => ({ ...image, env: omit(image.env, name) });

export const withLabel =
  (name: string, value: string) =>
  (image: PictureOf): PictureOf => ({ ...image, labels: { ...image.labels, [name]: value } });

export const withoutLabel =
  (name: string) =>
  (image: PictureOf): PictureOf => ({ ...image, labels: omit(image.labels, name) });

export const changed =
  (change: Partial<PictureOf>) =>
  (image: PictureOf): PictureOf => ({ ...image, ...change });

export const both =
  (...edits: ((image: PictureOf) => PictureOf)[]) =>
  (image: PictureOf): PictureOf =>
    edits.reduce((result, edit) => edit(result), image);
