import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** projectVersion gives the version in the project's package.json. */
export function projectVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
