import type { ContentMatch, SecretRule } from '../../core/index.ts';
import { prefixAt, type CompiledRules } from './rules.ts';

/** Files beyond this size get no line numbers: they are no text that a person opens. */
const maxCounted = 16 * 1024 * 1024;

const newlines = (bytes: Buffer, to: number): number => {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) count++;
  return count;
};

function isAt(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[start + index] !== wanted[index]) return false;
  return true;
}

/**
 * Scanner looks for rules in the content of one file after another, fed in chunks. A match may lie
 * across chunks: the end of each is looked at again together with the start of the next.
 */
export class Scanner {
  private readonly rules: CompiledRules;
  private readonly report: (match: Omit<ContentMatch, 'layer'>) => void;
  private path = '';
  private size = 0;
  private seen = 0;
  private lines = 0;
  private carry: Buffer = Buffer.alloc(0);
  private readonly lastEnd = new Map<SecretRule, number>();
  private readonly applies = new Map<SecretRule, boolean>();

  constructor(rules: CompiledRules, report: (match: Omit<ContentMatch, 'layer'>) => void) {
    this.rules = rules;
    this.report = report;
  }

  start(path: string, size: number): void {
    this.path = path;
    this.size = size;
    this.seen = 0;
    this.lines = 0;
    this.carry = Buffer.alloc(0);
    this.lastEnd.clear();
    this.applies.clear();
  }

  /** Every chunk of the file in order; the last one is known by the file's size. */
  data(chunk: Buffer): void {
    const last = this.seen + chunk.length >= this.size;
    const { reach } = this.rules;
    if (this.carry.length > 0 && !last && chunk.length > 4 * reach) {
      // Only the border is copied; from there on the chunk is searched where it lies.
      const border = Buffer.concat([this.carry, chunk.subarray(0, 2 * reach)]);
      this.search(border, this.seen - this.carry.length, 0, this.carry.length + reach);
      this.search(chunk, this.seen, reach, chunk.length - reach);
      this.keep(chunk, chunk.length);
      return;
    }
    const bytes = this.carry.length > 0 ? Buffer.concat([this.carry, chunk]) : chunk;
    this.search(bytes, this.seen - this.carry.length, 0, last ? bytes.length : bytes.length - reach);
    if (!last) this.keep(bytes, chunk.length);
  }

  /** Keeps the end that the next chunk may complete a match of, with what lies before it in reach. */
  private keep(bytes: Buffer, added: number): void {
    this.carry = Buffer.from(bytes.subarray(Math.max(0, bytes.length - 2 * this.rules.reach)));
    this.count(bytes.subarray(bytes.length - added));
  }

  private count(chunk: Buffer): void {
    if (this.size <= maxCounted) this.lines += newlines(chunk, chunk.length);
    this.seen += chunk.length;
  }

  /** Finds literals that begin in [from, to); `offset` is where `bytes` begins in the file. */
  private search(bytes: Buffer, offset: number, from: number, to: number): void {
    const { finder, prefix, byPrefix } = this.rules;
    finder.each(bytes, from, to, (start) => {
      for (const literal of byPrefix.get(prefixAt(bytes, start, prefix)) ?? []) {
        if (!isAt(bytes, start, literal.bytes)) continue;
        for (const rule of literal.rules) this.match(rule, bytes, offset, start);
      }
    });
  }

  private match(rule: SecretRule, bytes: Buffer, offset: number, start: number): void {
    if (!this.isFor(rule)) return;
    const from = Math.max(0, start - rule.reach);
    const text = bytes.toString('latin1', from, Math.min(bytes.length, start + this.rules.reach));
    const already = this.lastEnd.get(rule) ?? 0;
    for (const found of text.matchAll(rule.pattern)) {
      const begins = from + found.index;
      const [matched] = found;
      if (begins > start || begins + matched.length <= start || offset + begins < already) continue;
      this.lastEnd.set(rule, offset + begins + matched.length);
      if (rule.accept?.(matched) === false) continue;
      const line = this.size > maxCounted ? undefined : this.lineAt(bytes, offset, begins);
      const redacted = `${matched.slice(0, rule.show)}… (${matched.length} characters)`;
      this.report({ rule: rule.id, path: this.path, line, redacted });
    }
  }

  private isFor(rule: SecretRule): boolean {
    if (rule.paths === undefined) return true;
    const known = this.applies.get(rule);
    if (known !== undefined) return known;
    const applies = rule.paths.test(this.path);
    this.applies.set(rule, applies);
    return applies;
  }

  /** `lines` counts up to `seen`; the bytes may begin before it, with what was carried over. */
  private lineAt(bytes: Buffer, offset: number, begins: number): number {
    const carried = this.seen - offset;
    if (begins >= carried) return 1 + this.lines + newlines(bytes.subarray(carried), begins - carried);
    return 1 + this.lines - newlines(bytes.subarray(begins, carried), carried - begins);
  }
}
