import { allInstructions, type Instruction, type Model } from '../dockerfile/index.ts';
import type { Problem } from './rule.ts';

/** Ignore is one `# lint: ignore rule[, rule] -- reason`. */
interface Ignore {
  readonly rules: readonly string[];
  readonly reason: string;
  readonly line: number;
  readonly offset: number;
  /** Lines of the instruction it belongs to; undefined when none follows directly. */
  readonly lines: { readonly first: number; readonly last: number } | undefined;
}

const pattern = /^\s*#\s*lint:\s*ignore\b\s*(.*)$/;

/** ignoresOf finds the comments by line, so that those inside a RUN or a here-document count, too. */
export function ignoresOf(model: Model): Ignore[] {
  const lines = model.source.split('\n');
  // Of each line the instruction that it belongs to, and of each first line the one that begins there.
  const around = new Map<number, Instruction>();
  const first = new Map<number, Instruction>();
  for (const { instruction } of allInstructions(model)) {
    first.set(instruction.firstLine, instruction);
    for (let line = instruction.firstLine; line <= instruction.lastLine; line++) around.set(line, instruction);
  }
  // The first line behind a row of comments.
  const behind: number[] = [];
  for (let i = lines.length - 1; i >= 0; i--)
    behind[i] = /^\s*#/.test(lines[i + 1] ?? '') ? (behind[i + 1] ?? i + 1) : i + 1;
  const found: Ignore[] = [];
  let offset = 0;
  for (const [i, line] of lines.entries()) {
    const match = pattern.exec(line.replace(/\r$/, ''));
    if (match?.[1] !== undefined) {
      const [names = '', ...reason] = match[1].split(/\s--\s|^--\s/);
      const owner = around.get(i + 1) ?? first.get((behind[i] ?? i) + 1);
      found.push({
        rules: names
          .split(/[\s,]+/)
          .filter((name) => name !== '')
          .map((name) => (name.includes('/') ? name : `dockerfile/${name}`)),
        reason: reason.join(' -- ').trim(),
        line: i + 1,
        offset: offset + line.indexOf('#'),
        lines: owner === undefined ? undefined : { first: owner.firstLine, last: owner.lastLine },
      });
    }
    offset += line.length + 1;
  }
  return found;
}

export interface Applied<T> {
  readonly kept: readonly T[];
  readonly suppressed: readonly { readonly item: T; readonly reason: string }[];
  readonly problems: readonly Problem[];
}

/** applyIgnores takes out what a valid comment silences, and reports comments that are wrong or idle. */
export function applyIgnores<T extends { readonly rule: string; readonly line: number }>(
  model: Model,
  items: readonly T[],
  known: ReadonlySet<string>,
): Applied<T> {
  const problems: Problem[] = [];
  const valid: (Ignore & { used: Set<string> })[] = [];
  for (const ignore of ignoresOf(model)) {
    const say = (message: string, subject: string): void => {
      problems.push({ offset: ignore.offset, subject, message });
    };
    const unknown = ignore.rules.filter((rule) => !known.has(rule));
    if (ignore.rules.length === 0) say('expected the rules to ignore, found none', 'ignore');
    else if (unknown.length > 0) say(`expected known rules, found ${unknown.join(', ')}`, unknown.join(','));
    else if (ignore.reason.length < 3) say('expected a reason behind --, found none', ignore.rules.join(','));
    else if (ignore.lines === undefined)
      say('expected an instruction directly below, found none', ignore.rules.join(','));
    else valid.push({ ...ignore, used: new Set() });
  }
  const byLine = new Map<number, typeof valid>();
  for (const ignore of valid)
    for (let line = ignore.lines?.first ?? 0; line <= (ignore.lines?.last ?? -1); line++) {
      const all = byLine.get(line);
      if (all === undefined) byLine.set(line, [ignore]);
      else all.push(ignore);
    }
  const kept: T[] = [];
  const suppressed: { item: T; reason: string }[] = [];
  for (const item of items) {
    const by = byLine.get(item.line)?.find(({ rules }) => rules.includes(item.rule));
    by?.used.add(item.rule);
    if (by === undefined) kept.push(item);
    else suppressed.push({ item, reason: by.reason });
  }
  for (const { rules, used, offset } of valid)
    for (const rule of rules)
      if (!used.has(rule))
        problems.push({
          offset,
          subject: rule,
          message: `expected ${rule} to be silenced here, found nothing to silence`,
        });
  return { kept, suppressed, problems };
}
