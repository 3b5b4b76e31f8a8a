import type { Text } from '../../dockerfile/index.ts';

/** A `$NAME` or `${NAME…}` outside single quotes; offsets are offsets in the Dockerfile. */
export interface Variable {
  readonly name: string;
  readonly offset: number;
  /** What follows the name inside the braces: `:-default`, `:?message`, `%.git`; empty for none. */
  readonly operation: string;
}

export interface Word {
  /** Quotes and escapes removed, expansions as they were written: `$X`, `$(curl …)`. */
  readonly value: Text;
  readonly offset: number;
  /** True when any part was quoted. */
  readonly quoted: boolean;
  readonly variables: readonly Variable[];
  /** Scripts of `$(…)`, backquotes, `<(…)` and `>(…)`, in order. */
  readonly scripts: readonly List[];
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

export interface Redirect {
  /** `>`, `>>`, `<`, `<<`, `<<-`, `<<<`, `>&`, `<&`, `&>`, `>|`, `<>`. */
  readonly operator: string;
  readonly target: Word;
  /** Body of a here-document. */
  readonly body?: Text | undefined;
  /** The same, where its variables and substitutions are filled in. */
  readonly expanded?: Word | undefined;
}

export interface Simple {
  readonly kind: 'simple';
  readonly offset: number;
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
}

export interface Group {
  readonly kind: 'group';
  readonly offset: number;
  readonly keyword: '(' | '{' | 'if' | 'while' | 'until' | 'for' | 'function';
  /** Lists whose failure is an answer, not an error: what stands after `if`, `elif`, `while`, `until`. */
  readonly conditions: readonly List[];
  readonly bodies: readonly List[];
  /** The words of a `for … in`. */
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
}

export interface Case {
  readonly kind: 'case';
  readonly offset: number;
  readonly subject: Word;
  readonly arms: readonly { readonly patterns: readonly Word[]; readonly body: List }[];
  readonly redirects: readonly Redirect[];
}

export type Command = Simple | Group | Case;

export interface Pipeline {
  readonly commands: readonly Command[];
  readonly negated: boolean;
  /** What stands before it: nothing, `&&`, `||`, `;`, `&` or a line break (as `;`). */
  readonly operator: '' | '&&' | '||' | ';' | '&';
  readonly offset: number;
}

export type List = readonly Pipeline[];
