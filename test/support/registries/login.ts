import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** loginFile writes an auth.json in a directory of its own and gives the environment that names it. */
export function loginFile(content: unknown): {
  readonly env: { readonly REGISTRY_AUTH_FILE: string };
  readonly remove: () => void;
} {
  const directory = mkdtempSync(join(tmpdir(), 'login-'));
  const path = join(directory, 'auth.json');
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
  return {
    env: { REGISTRY_AUTH_FILE: path },
    remove: () => {
      rmSync(directory, { recursive: true });
    },
  };
}

/** passwordFor is the `auths` entry that `docker login` writes. */
export function passwordFor(user: string, password: string): { readonly auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') };
}
