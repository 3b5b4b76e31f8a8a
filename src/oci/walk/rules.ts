import type { SecretRule } from '../../core/index.ts';

export interface Literal {
  readonly bytes: Buffer;
  readonly rules: readonly SecretRule[];
}

/** CompiledRules is the search table over all literals (Wu and Manber 1994, blocks of two bytes). */
export interface CompiledRules {
  /** Length that all literals are searched by: that of the shortest. */
  readonly prefix: number;
  /** How far a pair of bytes lets the search skip; 0 where a literal's prefix may end. */
  readonly shift: Uint8Array;
  readonly byPair: readonly (readonly Literal[] | undefined)[];
  /** The longest reach of any rule, plus the longest literal. */
  readonly reach: number;
}

/** A chunk's border is copied with twice this much around it. */
const maxReach = 16 * 1024;

/** compileRules prepares rules once for any number of files. Throws TypeError for a rule that cannot work. */
export function compileRules(rules: readonly SecretRule[]): CompiledRules | undefined {
  if (rules.length === 0) return undefined;
  const byLiteral = new Map<string, SecretRule[]>();
  for (const rule of rules) {
    const { id, literals, pattern, reach } = rule;
    if (literals.length === 0 || literals.some((text) => text.length < 2) || reach > maxReach || !pattern.global) {
      throw new TypeError(`rule ${id} needs literals of two bytes or more, a reach up to ${maxReach}, and the flag g`);
    }
    for (const literal of literals) byLiteral.set(literal, [...(byLiteral.get(literal) ?? []), rule]);
  }
  const lengths = [...byLiteral.keys()].map((literal) => literal.length);
  const prefix = Math.min(...lengths, 200);
  const shift = new Uint8Array(65_536).fill(prefix - 1);
  const byPair = new Array<Literal[] | undefined>(65_536).fill(undefined);
  for (const [text, literalRules] of byLiteral) {
    const bytes = Buffer.from(text, 'latin1');
    for (let end = 1; end < prefix; end++) {
      const pair = ((bytes[end - 1] ?? 0) << 8) | (bytes[end] ?? 0);
      shift[pair] = Math.min(shift[pair] ?? 0, prefix - 1 - end);
      if (end === prefix - 1) byPair[pair] = [...(byPair[pair] ?? []), { bytes, rules: literalRules }];
    }
  }
  return { prefix, shift, byPair, reach: Math.max(...rules.map(({ reach }) => reach)) + Math.max(...lengths) };
}
