import type { SecretRule } from '../../core/index.ts';
import { secretRules } from './rules.ts';

export interface TextMatch {
  readonly rule: SecretRule;
  /** Where in the text it begins, and how long it is, in characters. */
  readonly index: number;
  readonly length: number;
  /** e.g. `ghp_… (40 characters)`. */
  readonly redacted: string;
}

/** redact keeps the leading characters that the rule calls harmless, and the length. */
export function redact(rule: SecretRule, match: string): string {
  return `${match.slice(0, rule.show)}… (${match.length} characters)`;
}

/** findSecrets looks through text at hand (an ENV value, an instruction); `paths` does not apply. */
export function findSecrets(text: string): TextMatch[] {
  return secretRules.flatMap((rule) => {
    if (!rule.literals.some((literal) => text.includes(literal))) return [];
    return [...text.matchAll(rule.pattern)]
      .filter(([match]) => rule.accept?.(match) ?? true)
      .map((match) => ({ rule, index: match.index, length: match[0].length, redacted: redact(rule, match[0]) }));
  });
}

/** redactSecrets replaces every credential in a text, for messages that quote it. */
export function redactSecrets(text: string): string {
  const matches = findSecrets(text).sort((a, b) => b.index - a.index);
  let result = text;
  let from = Infinity;
  for (const { index, length, redacted } of matches) {
    if (index + length > from) continue;
    result = result.slice(0, index) + redacted + result.slice(index + length);
    from = index;
  }
  return result;
}
