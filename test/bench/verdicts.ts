import type { Row, Verdict } from './types.ts';

const find = (rows: readonly Row[], name: string): Row | undefined =>
  rows.find((row) => row.name === name && row.missing === undefined);

/** under judges an upper limit in seconds. */
export function under(rows: readonly Row[], name: string, limit: number): Verdict[] {
  const median = find(rows, name)?.median;
  if (median === undefined) return [];
  return [{ aim: `${name}: under ${limit} s`, met: median < limit, found: `${median.toFixed(3)} s` }];
}

/** within judges ours against a peer: at most `factor` times its median. */
export function within(rows: readonly Row[], ours: string, peer: string, factor: number): Verdict[] {
  const [mine, theirs] = [find(rows, ours)?.median, find(rows, peer)?.median];
  if (mine === undefined || theirs === undefined || theirs === 0) return [];
  const ratio = mine / theirs;
  return [{ aim: `${ours}: within ${factor}× of ${peer}`, met: ratio <= factor, found: `${ratio.toFixed(2)}×` }];
}

/** memoryUnder judges the peak memory of one process, in megabytes (10^6 bytes). */
export function memoryUnder(rows: readonly Row[], name: string, megabytes: number): Verdict[] {
  const peak = find(rows, name)?.peakBytes;
  if (peak === undefined) return [];
  const found = `${(peak / 1e6).toFixed(0)} MB`;
  return [{ aim: `${name}: under ${megabytes} MB of memory`, met: peak < megabytes * 1e6, found }];
}

/** fastest judges ours against every peer that was measured, but for the bare limits named. */
export function fastest(rows: readonly Row[], ours: string, except: readonly string[] = []): Verdict[] {
  const mine = find(rows, ours)?.median;
  const peers = rows.filter(({ name, median }) => name !== ours && median !== undefined && !except.includes(name));
  if (mine === undefined || peers.length === 0) return [];
  const best = peers.reduce((a, b) => ((a.median ?? 0) <= (b.median ?? 0) ? a : b));
  const ratio = (best.median ?? 0) / mine;
  return [{ aim: `${ours}: faster than every peer`, met: ratio > 1, found: `${ratio.toFixed(2)}× ${best.name}` }];
}
