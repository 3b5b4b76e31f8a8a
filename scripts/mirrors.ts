import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Mirrors } from '../src/core/index.ts';
import { AppError } from '../src/errors/index.ts';
import { fromHere } from './command.ts';

/** readMirrors reads the file of `--mirrors`. Loaded only where there is one: the YAML parser takes time to load. */
export function readMirrors(file: string): Mirrors {
  let value: unknown;
  try {
    value = parse(readFileSync(fromHere(file), 'utf8'));
  } catch (cause) {
    throw new AppError('cli/mirrors', 'usage', 'cannot read the mirrors', { where: { file }, cause });
  }
  const { images = {}, urls = {}, ...rest } = (value ?? {}) as Record<string, unknown>;
  const isMap = (map: unknown): map is Record<string, string> =>
    typeof map === 'object' && map !== null && Object.values(map).every((target) => typeof target === 'string');
  if (isMap(images) && isMap(urls) && Object.keys(rest).length === 0) return { images, urls };
  throw new AppError('cli/mirrors', 'usage', 'malformed mirrors', {
    expected: 'images: and urls:, each a map from prefix to prefix',
    where: { file },
  });
}
