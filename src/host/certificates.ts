import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { AppError } from '../errors/index.ts';
import type { Environment } from './types.ts';

/** What TLS with one registry needs besides the machine's own authorities. */
export interface Certificates {
  readonly ca?: string[] | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where certificates of registries lie, the first that has the host counts (containers-certs.d(5), Docker's certs.d). */
function directoriesOf(env: Environment, registry: string): string[] {
  const home = env['HOME'] ?? '';
  const places = [
    ...(home === '' ? [] : [join(home, '.config/containers/certs.d')]),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  // A host is one name: it must not lead elsewhere.
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(registry) || registry.startsWith('.')) return [];
  const names = /:\d+$/.test(registry) ? [registry] : [registry, `${registry}:443`];
  return places.flatMap((place) => names.map((name) => join(place, name)));
}

/** hasCertificates: some certs.d has a directory for the registry, `host[:port]`. */
export function hasCertificates(env: Environment, registry: string): boolean {
  return directoriesOf(env, registry).some((directory) => existsSync(directory));
}

/**
 * readCertificates reads `*.crt` (authorities), and `*.cert` with its `*.key` (who we are). Returns nothing where no
 * certs.d has the host. Throws `host/certificates` for what cannot be read, or a certificate without its key.
 */
export async function readCertificates(env: Environment, registry: string): Promise<Certificates> {
  const directory = directoriesOf(env, registry).find((path) => existsSync(path));
  if (directory === undefined) return {};
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  try {
    const names = (await readdir(directory)).sort();
    const authorities = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
    const cert = names.find((name) => name.endsWith('.cert'));
    const own = cert === undefined ? {} : { cert: await read(cert), key: await read(cert.replace(/\.cert$/, '.key')) };
    if (authorities.length === 0) return own;
    const extra = env['NODE_EXTRA_CA_CERTS'] ?? '';
    const added = extra === '' ? [] : [await readFile(extra, 'utf8').catch(() => '')];
    return { ...own, ca: [...rootCertificates, ...added.filter((text) => text !== ''), ...authorities] };
  } catch (cause) {
    throw new AppError('host/certificates', 'machine', `the certificates for ${registry} cannot be read`, {
      where: { file: directory },
      expected: '*.crt, and *.cert beside its *.key',
      cause,
    });
  }
}
