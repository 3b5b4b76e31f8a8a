import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { readRpmDatabase } from '../../src/sbom/found/rpm.ts';

/** A header blob with NAME, VERSION and RELEASE, padded to `size` bytes of data (rpm's header format). */
function header(name: string, size = 64): Buffer {
  const texts = [name, '1', '2'];
  const data = Buffer.alloc(size);
  const index = Buffer.alloc(8 + 16 * texts.length);
  index.writeUInt32BE(texts.length, 0);
  index.writeUInt32BE(size, 4);
  let offset = 0;
  for (const [at, text] of texts.entries()) {
    [1000 + at, 6, offset, 1].forEach((value, field) => index.writeUInt32BE(value, 8 + 16 * at + 4 * field));
    offset += data.write(`${text}\0`, offset);
  }
  return Buffer.concat([index, data]);
}

/** The bytes of a database in a write-ahead log's mode, as rpm leaves them, with this table of packages. */
function databaseOf(schema: string, blobs: readonly Buffer[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'rpmdb-'));
  try {
    const file = join(directory, 'rpmdb.sqlite');
    const database = new DatabaseSync(file);
    database.exec(
      `PRAGMA journal_mode = WAL; CREATE TABLE rows (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL); ${schema}`,
    );
    for (const blob of blobs) database.prepare('INSERT INTO rows (blob) VALUES (?)').run(blob);
    if (schema === '') database.exec('ALTER TABLE rows RENAME TO Packages');
    database.close();
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const names = (content: Buffer): string[] => readRpmDatabase(content).map(({ name }) => name);
const unreadable = expect.objectContaining({ code: 'sbom/rpmdb' }) as Error;

test('a database with a write-ahead log is read from memory, and its bytes stay as they were', () => {
  const content = databaseOf('', [header('bash'), header('gpg-pubkey'), header('zlib')]);
  const before = Buffer.from(content);
  expect([...content.subarray(18, 20)]).toEqual([2, 2]);
  expect(names(content)).toEqual(['bash', 'zlib']);
  expect(content.equals(before)).toBe(true);
});

test('a database without packages has none', () => {
  expect(names(databaseOf('', []))).toEqual([]);
});

test.each([
  ['no database', Buffer.from('not a database')],
  ['nothing at all', Buffer.alloc(0)],
  ['a database of something else', databaseOf('CREATE TABLE Other (a)', [])],
  ['one cut off in the middle', databaseOf('', [header('bash', 100_000)]).subarray(0, 8192)],
])('%s is refused', (_what, content) => {
  expect(() => readRpmDatabase(content)).toThrow(unreadable);
});

test.each([
  [
    'a view that never ends',
    'CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS hnum, NULL AS blob FROM n',
  ],
  ['a view of many rows', 'CREATE VIEW Packages AS SELECT a.hnum, a.blob FROM rows a, rows b, rows c'],
  [
    'a column that is computed',
    'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB AS (zeroblob(900000000))); INSERT INTO Packages VALUES (1)',
  ],
])('%s in place of the packages is not run', (_what, schema) => {
  const content = databaseOf(schema, [header('bash')]);
  expect(() => readRpmDatabase(content)).toThrow(unreadable);
});

test('rows that share their pages are refused before they fill the memory', () => {
  const content = databaseOf('', [header('bash', 1_000_000), header('zlib')]);
  // The leaf page of the table lists where its cells begin (sqlite.org/fileformat2.html, 1.6): both rows are the first one.
  const page = content.indexOf(Buffer.from([0x0d, 0, 0, 0, 2]));
  content.copyWithin(page + 10, page + 8, page + 10);
  expect(() => readRpmDatabase(content)).toThrow(unreadable);
});
