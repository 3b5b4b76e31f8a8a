/**
 * The one function of this project that is WebAssembly: V8 offers 16 bytes at once only there, and
 * looking for sixty literals in every byte of an image one byte at a time costs as much as all the
 * rest of a walk. It is assembled here, so that nothing compiled has to be kept beside its source.
 *
 * Each literal belongs to one of eight buckets, a bit each. For each of its first bytes two tables
 * of 16 entries say which buckets have that byte's low and high half; a place where the same bucket
 * is in the tables of all bytes may be the start of one of its literals ("Teddy", by Geoffrey
 * Langdale for Hyperscan). What comes back are places to look at, never too few.
 */
import type { Tables } from './buckets.ts';

export const blockBytes = 64 * 1024;

/** Where the block lies in the memory, and where pairs of a position and a mask of 16 bits are put. */
const input = 0;
const output = 2 * blockBytes;
/** A block of hits in every sixteenth of it: 8 bytes each. */
const pages = (output + blockBytes) / (64 * 1024);

/** Opcodes, by their names in the specification (WebAssembly 2.0, section 5.4). */
const op = { loop: 0x03, if: 0x04, end: 0x0b, branchIf: 0x0d, get: 0x20, set: 0x21, i32Store: 0x36, i32: 0x41 };
const i32 = { ltU: 0x49, add: 0x6a };
const simd = {
  load: [0xfd, 0x00],
  constant: [0xfd, 0x0c],
  swizzle: [0xfd, 0x0e],
  splat: [0xfd, 0x0f],
  notEqual: [0xfd, 0x24],
  and: [0xfd, 0x4e],
  anyTrue: [0xfd, 0x53],
  bitmask: [0xfd, 0x64],
  shiftRight: [0xfd, 0x6d],
};
const type = { i32: 0x7f, v128: 0x7b, none: 0x40, function: 0x60 };

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return done ? [low] : [low | 0x80, ...signed(rest)];
}

const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];
const text = (name: string): number[] => [...unsigned(name.length), ...Buffer.from(name)];
const get = (local: number): number[] => [op.get, ...unsigned(local)];
const set = (local: number): number[] => [op.set, ...unsigned(local)];
const number = (value: number): number[] => [op.i32, ...signed(value)];

/** `(to: i32) -> i32`: looks at [0, to) and returns the end of what it put at `output`. */
function body(tables: readonly Tables[]): number[] {
  const [to, at, out, found, low4, zero] = [0, 1, 2, 3, 4, 5];
  const table = (index: number): number => 6 + index;
  const lookUp = (index: number): number[] => {
    const here = [...get(at), ...simd.load, 0, ...unsigned(input + index)];
    return [
      ...[...get(table(2 * index)), ...here, ...get(low4), ...simd.and, ...simd.swizzle],
      ...[...get(table(2 * index + 1)), ...here, ...number(4), ...simd.shiftRight, ...simd.swizzle],
      ...simd.and,
      ...(index === 0 ? [] : simd.and),
    ];
  };
  const store = (offset: number): number[] => [op.i32Store, 2, ...unsigned(offset)];
  const code = [
    ...[...number(output), ...set(out)],
    ...[...number(0x0f), ...simd.splat, ...set(low4)],
    ...tables.flatMap(({ low, high }, index) => [
      ...[...simd.constant, ...low, ...set(table(2 * index))],
      ...[...simd.constant, ...high, ...set(table(2 * index + 1))],
    ]),
    ...[op.loop, type.none],
    ...[...tables.flatMap((_, index) => lookUp(index)), ...set(found)],
    ...[...get(found), ...simd.anyTrue, op.if, type.none],
    ...[...get(out), ...get(at), ...store(0)],
    ...[...get(out), ...get(found), ...get(zero), ...simd.notEqual, ...simd.bitmask, ...store(4)],
    ...[...get(out), ...number(8), i32.add, ...set(out)],
    op.end,
    ...[...get(at), ...number(16), i32.add, ...set(at)],
    ...[...get(at), ...get(to), i32.ltU, op.branchIf, 0],
    op.end,
    ...get(out),
    op.end,
  ];
  const locals = vector([
    [...unsigned(2), type.i32],
    [...unsigned(3 + 2 * tables.length), type.v128],
  ]);
  return [...locals, ...code];
}

function assemble(tables: readonly Tables[]): Uint8Array {
  const code = body(tables);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([[type.function, ...vector([[type.i32]]), ...vector([[type.i32]])]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, ...unsigned(pages)]])),
    ...section(
      7,
      vector([
        [...text('memory'), 2, 0],
        [...text('find'), 0, 0],
      ]),
    ),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly find: (to: number) => number;
}

/** What is used of it; the types of Node name none, and those of browsers are not wanted for that. */
const engine = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: Exports };
    };
  }
).WebAssembly;

/** Finder looks through at most `blockBytes` positions at a time. */
export class Finder {
  private readonly bytes: Uint8Array;
  private readonly results: Uint32Array;
  private readonly find: Exports['find'];
  private readonly overlap: number;

  constructor(tables: readonly Tables[]) {
    const { exports } = new engine.Instance(new engine.Module(assemble(tables)));
    const { buffer } = exports.memory;
    this.bytes = new Uint8Array(buffer, input, output - input);
    this.results = new Uint32Array(buffer, output);
    this.find = exports.find;
    this.overlap = tables.length - 1;
  }

  /** Calls back, in order, with every position in [from, to) that may be a literal's; others may be among them. */
  each(bytes: Uint8Array, from: number, to: number, take: (position: number) => void): void {
    for (let start = from; start < to; start += blockBytes) {
      const count = Math.min(to - start, blockBytes);
      this.bytes.set(bytes.subarray(start, start + count + this.overlap));
      const end = (this.find(count) - output) / 4;
      for (let index = 0; index < end; index += 2) {
        const base = this.results[index] ?? 0;
        for (let mask = this.results[index + 1] ?? 0; mask !== 0; mask &= mask - 1) {
          const position = base + 31 - Math.clz32(mask & -mask);
          if (position < count) take(start + position);
        }
      }
    }
  }
}
