/** Tables is 16 entries for the low half of one byte and 16 for its high half, a bit for each bucket. */
export interface Tables {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
}

const buckets = 8;

/** How often bytes begin with each half, in a mixture of text and programs, in hundredths. */
const often = [20, 3, 9, 6, 4, 4, 17, 12, 4, 2, 2, 2, 3, 2, 3, 7];

/** A bucket is the sets of half bytes, as bits, that its prefixes have at each place. */
interface Bucket {
  readonly prefixes: readonly Uint8Array[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly chance: number;
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function weight(set: number): number {
  let sum = 0;
  for (let half = 0; half < 16; half += 1) if ((set & (1 << half)) !== 0) sum += often[half] ?? 0;
  return sum / 100;
}

/** The chance that some place of an image looks like one of the bucket's prefixes. */
function chanceOf(low: readonly number[], high: readonly number[]): number {
  return low.reduce((chance, set, at) => (chance * bits(set) * weight(high[at] ?? 0)) / 16, 1);
}

function join(a: Bucket, b: Bucket): Bucket {
  const low = a.low.map((set, at) => set | (b.low[at] ?? 0));
  const high = a.high.map((set, at) => set | (b.high[at] ?? 0));
  return { prefixes: [...a.prefixes, ...b.prefixes], low, high, chance: chanceOf(low, high) };
}

function bucketOf(prefix: Uint8Array): Bucket {
  const [low, high] = [[...prefix].map((byte) => 1 << (byte & 15)), [...prefix].map((byte) => 1 << (byte >> 4))];
  return { prefixes: [prefix], low, high, chance: chanceOf(low, high) };
}

/** What differs in its last byte only belongs together, and would make the search for pairs a slow one. */
function families(prefixes: readonly Uint8Array[]): Bucket[] {
  const byHead = new Map<string, Bucket>();
  for (const prefix of prefixes) {
    const head = prefix.subarray(0, -1).join(' ');
    const family = byHead.get(head);
    byHead.set(head, family === undefined ? bucketOf(prefix) : join(family, bucketOf(prefix)));
  }
  return [...byHead.values()];
}

/** assign joins the two buckets that then stop at the fewest places more, until there are eight. */
function assign(prefixes: readonly Uint8Array[]): Bucket[] {
  const all = families(prefixes);
  const known = new Map<Bucket, Map<Bucket, number>>();
  const cost = (one: Bucket, other: Bucket): number => {
    const costs = known.get(one) ?? new Map<Bucket, number>();
    known.set(one, costs);
    const value = costs.get(other) ?? join(one, other).chance - one.chance - other.chance;
    costs.set(other, value);
    return value;
  };
  while (all.length > buckets) {
    let best = { cost: Infinity, a: 0, b: 0 };
    for (const [a, one] of all.entries()) {
      for (let b = 0; b < a; b += 1) {
        const other = all[b];
        const price = other === undefined ? Infinity : cost(one, other);
        if (price < best.cost) best = { cost: price, a, b };
      }
    }
    const [later, earlier] = [all[best.a], all[best.b]];
    if (later === undefined || earlier === undefined) break;
    all[best.b] = join(later, earlier);
    all.splice(best.a, 1);
  }
  return all;
}

/** tablesFor gives the tables of each place of prefixes that are all of one length. */
export function tablesFor(prefixes: readonly Uint8Array[]): Tables[] {
  const assigned = assign(prefixes);
  return Array.from({ length: prefixes[0]?.length ?? 0 }, (_, at) => {
    const tables = { low: new Uint8Array(16), high: new Uint8Array(16) };
    for (const [index, bucket] of assigned.entries()) {
      for (const prefix of bucket.prefixes) {
        const byte = prefix[at] ?? 0;
        tables.low[byte & 15] = (tables.low[byte & 15] ?? 0) | (1 << index);
        tables.high[byte >> 4] = (tables.high[byte >> 4] ?? 0) | (1 << index);
      }
    }
    return tables;
  });
}
