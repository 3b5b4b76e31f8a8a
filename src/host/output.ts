import { visible, visibleText, type TextKind } from '../errors/index.ts';

/** Sink is a stream that people, terminals and CI runners read. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** UTF-16 units of one line: a longer one is not for reading. */
const maxLine = 4_000;

/** lineOut returns one line as it may leave the process; a line break in it is shown, not obeyed. */
export const lineOut = (text: string): string => visible(text, maxLine);

/** Console is what results go to stdout through: nothing else writes there. */
export interface Console {
  /** One line of the result, or several. Line breaks and control characters in one are shown as their codes. */
  print(lines: string | readonly string[]): void;
  /** A text of several lines, with a newline added; its parts were escaped where it was formatted. */
  document(text: string, kind?: TextKind): void;
  /** The result as JSON, for `--json`. */
  json(value: unknown): void;
}

/** makeConsole writes results to a stream, all of them escaped here. */
export function makeConsole(sink: Sink): Console {
  const document = (text: string, kind?: TextKind): void => void sink.write(`${visibleText(text, kind)}\n`);
  return {
    print: (lines) => {
      for (const line of typeof lines === 'string' ? [lines] : lines) sink.write(`${lineOut(line)}\n`);
    },
    document,
    json: (value) => {
      document(JSON.stringify(value, null, 2));
    },
  };
}
