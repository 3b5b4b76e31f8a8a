import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TarReader } from '../../../src/oci/tar/reader.ts';
import { sha256 } from '../support.ts';
import { Random } from './random.ts';
import { corpus, type CorpusCase } from './tar-corpus.ts';

/** What test/fixtures/record-go-tar.ts wrote. */
interface GoEntry {
  readonly flag: string;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly link?: string;
  readonly device: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly sha256: string;
}
interface GoAnswer {
  readonly name: string;
  readonly tar: string;
  readonly entries: readonly GoEntry[];
  readonly error?: string;
}

const file = join(import.meta.dirname, '../../fixtures/go-tar@1.19.8/answers.ndjson');
const answers = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as GoAnswer);

const types = { file: '0', link: '1', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' } as const;

/** The parts of an answer that both readers give, in one shape. */
type Seen = Record<string, unknown>;

function read(bytes: Buffer): { readonly seen: readonly Seen[]; readonly code?: string } {
  const seen: Seen[] = [];
  let hash = createHash('sha256');
  const reader = new TarReader({
    expandSparse: true,
    entry({ type, name, mode, uid, gid, size, mtime, link, devMajor, devMinor, xattrs }) {
      const device = type === 'character' || type === 'block' ? [devMajor, devMinor] : [];
      const attributes = Object.fromEntries(xattrs ?? []);
      seen.push({ flag: types[type], name, mode, uid, gid, size, mtime, link, device, xattrs: attributes });
      hash = createHash('sha256');
    },
    data: (chunk) => hash.update(chunk),
    end() {
      const last = seen.at(-1);
      if (last !== undefined) last['sha256'] = hash.digest('hex').slice(0, 16);
    },
    global: (name) => void seen.push({ flag: 'g', name }),
  });
  const random = new Random(bytes.length);
  try {
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.below(900);
      reader.write(bytes.subarray(at, at + length));
      at += length;
    }
    reader.finish();
    return { seen };
  } catch (error) {
    return { seen, code: (error as { code: string }).code };
  }
}

function seenByGo({
  flag,
  name,
  mode,
  uid,
  gid,
  size,
  mtime,
  link = '',
  device,
  xattrs = {},
  sha256: digest,
}: GoEntry): Seen {
  if (flag === 'g') return { flag, name };
  const isDevice = flag === '3' || flag === '4';
  return {
    ...{ flag, name, mode, uid, gid, mtime, xattrs, sha256: digest },
    // Go hands on what is in the fields; engines look at them only where the type has a use for them.
    size: flag === '0' ? size : 0,
    link: flag === '1' || flag === '2' ? link : '',
    device: isDevice ? device : [],
  };
}

/** The refusals that docs/decisions/0005-layers-read-and-written.md lists; each is looked for in what Go read. */
const strict: Readonly<Record<string, (next: GoEntry | undefined) => boolean>> = {
  'oci/tar-type': (next) => next !== undefined && !'0123456gS'.includes(next.flag),
  'oci/tar-sparse': (next) => next?.flag === 'S',
  'oci/tar-number': (next) =>
    next !== undefined &&
    [next.uid, next.gid, next.size, next.mtime, ...next.device].some((value) => !Number.isSafeInteger(value)),
  // A malformed number in a global header: whether Go then takes the path beside it depends on its map's order.
  'oci/tar-pax': (next) => next?.flag === 'g',
  // An extension header whose member never comes.
  'oci/tar-truncated': (next) => next === undefined,
};

function outcome({ bytes }: CorpusCase, answer: GoAnswer): string {
  const { seen, code } = read(bytes);
  const go = answer.entries.map(seenByGo);
  if (answer.error !== undefined) {
    if (code === undefined) return 'accepted what Go refuses';
    // The entry in which the error lies is announced before its content.
    const before = seen.slice(0, go.length);
    expect(before).toEqual(go.slice(0, before.length));
    return 'refused by both';
  }
  if (code === undefined) {
    expect(seen).toEqual(go);
    return 'equal';
  }
  expect(seen).toEqual(go.slice(0, seen.length));
  return strict[code]?.(answer.entries[seen.length]) === true ? `refused by us alone: ${code}` : `unexplained ${code}`;
}

describe('the tar reader beside Go’s archive/tar', () => {
  test('every case of the corpus is read as Go reads it, or refused by a listed rule', () => {
    const counts: Record<string, number> = {};
    const unexplained: string[] = [];
    const cases = corpus();
    expect(answers.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const [index, one] of cases.entries()) {
      const answer = answers[index];
      // Recorded for these very bytes; if not: node test/fixtures/record-go-tar.ts
      expect(answer?.tar).toBe(sha256(one.bytes).slice(7, 23));
      if (answer === undefined) continue;
      let found: string;
      try {
        found = outcome(one, answer);
      } catch (error) {
        found = `different: ${(error as Error).message.slice(0, 600)}`;
      }
      const known = /^(?:equal|refused by )/.test(found);
      if (!known) unexplained.push(`${one.name}: ${found}`);
      const key = known ? found : 'unexplained';
      counts[key] = (counts[key] ?? 0) + 1;
    }
    process.stdout.write(`go-tar: ${cases.length} tars; ${JSON.stringify(counts)}\n`);
    expect(unexplained).toEqual([]);
    expect(counts['equal']).toBeGreaterThan(300);
  });
});
