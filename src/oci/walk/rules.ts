import type { SecretRule } from '../../core/index.ts';
import { tablesFor } from './buckets.ts';
import { Finder } from './simd.ts';

export interface Literal {
  readonly bytes: Buffer;
  readonly rules: readonly SecretRule[];
}

/** CompiledRules is all literals, ready to be looked for. */
export interface CompiledRules {
  readonly finder: Finder;
  /** Length that keeps all literals apart: that of the shortest, at most four. */
  readonly prefix: number;
  /** By what `prefixAt` makes of the prefix. */
  readonly byPrefix: ReadonlyMap<number, readonly Literal[]>;
  /** The longest reach of any rule, plus the longest literal. */
  readonly reach: number;
}

/** A chunk's border is copied with twice this much around it. */
const maxReach = 16 * 1024;
const maxPrefix = 4;

/** prefixAt makes one number, the key of `byPrefix`, of up to four bytes; what lies past the end counts as 0. */
export function prefixAt(bytes: Uint8Array, start: number, length: number): number {
  let key = 0;
  for (let index = start; index < start + length; index++) key = (key << 8) | (bytes[index] ?? 0);
  return key;
}

const compiled = new WeakMap<readonly SecretRule[], CompiledRules>();

/** compileRules prepares rules once for any number of files. Throws TypeError for a rule that cannot work. */
export function compileRules(rules: readonly SecretRule[]): CompiledRules | undefined {
  if (rules.length === 0) return undefined;
  const known = compiled.get(rules) ?? compile(rules);
  compiled.set(rules, known);
  return known;
}

function compile(rules: readonly SecretRule[]): CompiledRules {
  const byLiteral = new Map<string, SecretRule[]>();
  for (const rule of rules) {
    const { id, literals, pattern, reach } = rule;
    if (literals.length === 0 || literals.some((text) => text.length < 2) || reach > maxReach || !pattern.global) {
      throw new TypeError(`rule ${id} needs literals of two bytes or more, a reach up to ${maxReach}, and the flag g`);
    }
    for (const literal of literals) byLiteral.set(literal, [...(byLiteral.get(literal) ?? []), rule]);
  }
  const lengths = [...byLiteral.keys()].map((literal) => literal.length);
  const prefix = Math.min(...lengths, maxPrefix);
  const byPrefix = new Map<number, Literal[]>();
  for (const [text, literalRules] of byLiteral) {
    const bytes = Buffer.from(text, 'latin1');
    const key = prefixAt(bytes, 0, prefix);
    byPrefix.set(key, [...(byPrefix.get(key) ?? []), { bytes, rules: literalRules }]);
  }
  const prefixes = [...byPrefix.values()].flatMap(([first]) =>
    first === undefined ? [] : [first.bytes.subarray(0, prefix)],
  );
  return {
    finder: new Finder(tablesFor(prefixes)),
    prefix,
    byPrefix,
    reach: Math.max(...rules.map(({ reach }) => reach)) + Math.max(...lengths),
  };
}
