import { allInstructions, type Model } from '../dockerfile/index.ts';
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
  const instructions = [...allInstructions(model)].map(({ instruction }) => instruction);
  const found: Ignore[] = [];
  let offset = 0;
  for (const [i, line] of lines.entries()) {
    const match = pattern.exec(line.replace(/\r$/, ''));
    if (match?.[1] !== undefined) {
      const [names = '', ...reason] = match[1].split(/\s--\s|^--\s/);
      let next = i + 1;
      while (/^\s*#/.test(lines[next] ?? '')) next += 1;
      const owner =
        instructions.find((one) => one.firstLine <= i + 1 && i + 1 <= one.lastLine) ??
        instructions.find((one) => one.firstLine === next + 1);
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
  const kept: T[] = [];
  const suppressed: { item: T; reason: string }[] = [];
  for (const item of items) {
    const by = valid.find(
      ({ rules, lines }) =>
        rules.includes(item.rule) && lines !== undefined && lines.first <= item.line && item.line <= lines.last,
    );
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
