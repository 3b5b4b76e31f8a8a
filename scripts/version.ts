import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './project.ts';

/** toolVersion returns the version of this program, from its own package.json. */
export function toolVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
