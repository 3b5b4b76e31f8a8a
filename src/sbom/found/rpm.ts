import { createRequire } from 'node:module';
import { AppError } from '../../errors/index.ts';
import type { Declared } from '../component.ts';
import { parseRpmHeader, type RpmHeader } from './rpm-header.ts';

/** Where RPM keeps its database: RHEL 9 and older, RHEL 10 and Fedora. */
export const rpmDatabases = ['/var/lib/rpm/rpmdb.sqlite', '/usr/lib/sysimage/rpm/rpmdb.sqlite'];

/** readRpmDatabase lists the packages of an rpmdb.sqlite. Throws `sbom/rpmdb` when it is not one. */
export async function readRpmDatabase(content: Uint8Array): Promise<Declared[]> {
  const { default: open } = await import('sql.js');
  const require = createRequire(import.meta.url);
  const sql = await open({ locateFile: (file) => require.resolve(`sql.js/dist/${file}`) });
  const database = new sql.Database(content);
  try {
    const rows = database.exec('SELECT blob FROM Packages ORDER BY hnum');
    const blobs = rows[0]?.values.map(([blob]) => blob) ?? [];
    return blobs.flatMap((blob) => (blob instanceof Uint8Array ? declare(parseRpmHeader(blob)) : []));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('sbom/rpmdb', 'findings', 'the RPM database of the image cannot be read', { cause });
  } finally {
    database.close();
  }
}

/** logOf is the write-ahead log that RPM keeps beside its database; empty when everything was written back. */
export const logOf = (database: string): string => `${database}-wal`;

/** notWrittenBack: what is only in the log would be missing from the list, and nobody would see it. */
export function notWrittenBack(database: string): AppError {
  return new AppError('sbom/rpmdb', 'findings', 'the RPM database of the image is not whole', {
    expected: `an empty ${logOf(database)}`,
    found: 'packages that were not written back from the log',
    hint: `open it once where it was made (rpm -qa), then build the image again`,
  });
}

function declare(header: RpmHeader): Declared[] {
  // Imported signing keys stand in the database as packages; they are no software.
  if (header.name === 'gpg-pubkey') return [];
  const version = `${header.version}-${header.release}`;
  const qualifiers = {
    ...(header.arch === undefined ? {} : { arch: header.arch }),
    ...(header.epoch === undefined || header.epoch === 0 ? {} : { epoch: String(header.epoch) }),
    ...(header.sourceRpm === undefined ? {} : { upstream: header.sourceRpm }),
  };
  return [
    {
      ecosystem: 'rpm',
      name: header.name,
      version,
      ...(header.license === undefined ? {} : { license: header.license }),
      purl: { type: 'rpm', namespace: namespaceOf(header.vendor), name: header.name, version, qualifiers },
    },
  ];
}

/** The purl namespace is the vendor's short name (purl-spec, types/rpm). */
function namespaceOf(vendor: string | undefined): string {
  if (vendor === undefined) return 'unknown';
  if (vendor.startsWith('Red Hat')) return 'redhat';
  return vendor
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
