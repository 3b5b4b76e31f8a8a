import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/index.ts';
import type { Declared } from '../component.ts';
import { parseRpmHeader, type RpmHeader } from './rpm-header.ts';

/** Where RPM keeps its database: RHEL 9 and older, RHEL 10 and Fedora. */
export const rpmDatabases = ['/var/lib/rpm/rpmdb.sqlite', '/usr/lib/sysimage/rpm/rpmdb.sqlite'];

/**
 * Bytes 18 and 19 of a database say how it is written and read: 1 a rollback journal, 2 a write-ahead log, as RPM has
 * it (https://sqlite.org/fileformat2.html, section 1.3). SQLite opens nothing in memory that wants a log beside it.
 */
const journalVersions = [18, 19];

/** Views, generated columns and virtual tables compute, for as long and as much as their author likes. */
const computes = /\b(?:as|virtual)\b/i;

/** readRpmDatabase returns the packages of an rpmdb.sqlite. Throws `sbom/rpmdb` when it is not one, and `sbom/rpm-header`. */
export function readRpmDatabase(content: Uint8Array): Declared[] {
  const bytes = Uint8Array.from(content);
  journalVersions.forEach((at) => (bytes[at] = 1));
  const database = new DatabaseSync(':memory:');
  try {
    database.deserialize(bytes);
    const schema = database.prepare('SELECT sql FROM sqlite_schema').all();
    if (schema.some(({ sql }) => computes.test(String(sql)))) throw new Error('its schema is not one that RPM writes');
    const packages: Declared[] = [];
    let total = 0;
    for (const { blob } of database.prepare('SELECT blob FROM Packages ORDER BY hnum').iterate()) {
      if (!(blob instanceof Uint8Array)) continue;
      total += blob.length;
      // In a database that was tampered with, thousands of rows can share their pages.
      if (total > content.length) throw new Error('its rows hold more than its pages');
      packages.push(...declare(parseRpmHeader(blob)));
    }
    return packages;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('sbom/rpmdb', 'findings', 'the RPM database of the image cannot be read', { cause });
  } finally {
    database.close();
  }
}

/** logOf is the write-ahead log that RPM keeps beside its database; empty when everything was written back. */
export const logOf = (database: string): string => `${database}-wal`;

/** notWrittenBack: what is only in the log would be missing from the list, unnoticed. */
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
    arch: header.arch,
    epoch: header.epoch === undefined || header.epoch === 0 ? undefined : String(header.epoch),
    upstream: header.sourceRpm,
  };
  return [
    {
      ecosystem: 'rpm',
      name: header.name,
      version,
      license: header.license,
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
