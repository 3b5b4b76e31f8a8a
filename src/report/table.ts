import { visible } from '../errors/index.ts';

/** UTF-16 units of one cell. */
const maxCell = 1_000;

export interface TableOptions {
  /** Columns, counted from 0, that are set flush right: numbers. */
  readonly right?: readonly number[] | undefined;
  /** Put before each line. */
  readonly indent?: string | undefined;
}

/** width counts code points; the tables hold no wide characters. */
const width = (text: string): number => Array.from(text).length;

function pad(text: string, to: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, to - width(text)));
  return right ? fill + text : text + fill;
}

/** table aligns rows in columns two blanks apart; the first row is the heading where one is wanted. No trailing blanks. */
export function table(rows: readonly (readonly string[])[], { right = [], indent = '' }: TableOptions = {}): string {
  const clean = rows.map((row) => row.map((cell) => visible(cell, maxCell)));
  const widths: number[] = [];
  for (const row of clean) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  return clean
    .map((row) => (indent + row.map((cell, i) => pad(cell, widths[i] ?? 0, right.includes(i))).join('  ')).trimEnd())
    .join('\n');
}
