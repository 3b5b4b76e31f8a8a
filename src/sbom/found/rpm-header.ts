import { AppError } from '../../errors/index.ts';

/** RPM header tags (rpm's rpmtag.h) that an SBOM needs. */
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  arch: 1022,
  sourceRpm: 1044,
};
const int32 = 4;
const stringTypes = new Set([6, 8, 9]);
const maxEntries = 100_000;

export interface RpmHeader {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number | undefined;
  readonly vendor?: string | undefined;
  readonly license?: string | undefined;
  readonly arch?: string | undefined;
  readonly sourceRpm?: string | undefined;
}

function malformed(found: string): never {
  throw new AppError('sbom/rpm-header', 'findings', 'malformed RPM header in the image', { found });
}

/**
 * parseRpmHeader reads one header blob of rpmdb.sqlite: two big-endian counts (index entries,
 * data bytes), 16-byte index entries, data. The 8-byte magic of a package file is not there.
 */
export function parseRpmHeader(blob: Uint8Array): RpmHeader {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < 8) malformed(`${bytes.length} bytes`);
  const entries = bytes.readUInt32BE(0);
  const size = bytes.readUInt32BE(4);
  const start = 8 + entries * 16;
  if (entries > maxEntries || start + size > bytes.length)
    malformed(`${entries} entries and ${size} bytes of data in ${bytes.length}`);
  const data = bytes.subarray(start, start + size);
  const values = new Map<number, string | number>();
  for (let index = 0; index < entries; index++) {
    const at = 8 + index * 16;
    const type = bytes.readUInt32BE(at + 4);
    const offset = bytes.readInt32BE(at + 8);
    const value = readValue(data, type, offset);
    if (value !== undefined) values.set(bytes.readUInt32BE(at), value);
  }
  return toHeader(values);
}

function readValue(data: Buffer, type: number, offset: number): string | number | undefined {
  if (offset < 0 || offset >= data.length) return undefined;
  if (type === int32) return offset + 4 <= data.length ? data.readUInt32BE(offset) : undefined;
  if (!stringTypes.has(type)) return undefined;
  const end = data.indexOf(0, offset);
  return data.toString('utf8', offset, end < 0 ? data.length : end);
}

function toHeader(values: ReadonlyMap<number, string | number>): RpmHeader {
  const text = (tag: number) => {
    const value = values.get(tag);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const epoch = values.get(tags.epoch);
  const name = text(tags.name) ?? malformed('no NAME');
  const optional = {
    vendor: text(tags.vendor),
    license: text(tags.license),
    arch: text(tags.arch),
    sourceRpm: text(tags.sourceRpm),
    epoch: typeof epoch === 'number' ? epoch : undefined,
  };
  return {
    name,
    version: text(tags.version) ?? malformed(`no VERSION of ${name}`),
    release: text(tags.release) ?? malformed(`no RELEASE of ${name}`),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as object),
  };
}
