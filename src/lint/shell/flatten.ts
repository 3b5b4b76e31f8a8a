import { offsetAt, TextBuilder, type Text } from '../../dockerfile/index.ts';
import type { Case, Command, List, Pipeline, Redirect, Simple, Word } from './ast.ts';
import { baseName, codeOf, interpreterOf, isShellFlag, readsStdin, shellNames, type Code } from './code.ts';
import { ShellSyntaxError } from './cursor.ts';
import { fetches, type Flat, type Flattened, type Unreadable } from './flat.ts';
import { foreignMeans, languageOf } from './foreign.ts';
import { noOptions, shellOptions, type ShellOptions } from './options.ts';
import { decision, Outcomes, type Standing } from './outcome.ts';
import { parseShell } from './parse.ts';
import { peel } from './wrappers.ts';

/** What holds for every command inside a compound command, a substitution or nested code. */
type Around = Standing & Pick<Flat, 'substituted' | 'upstream' | 'piped'>;
const nothingAround: Around = {
  tested: false,
  stops: true,
  stopsOnSuccess: false,
  exits: true,
  substituted: false,
  upstream: [],
  piped: false,
};

/** `… | grep OK` fails where the check before it did. */
function looksForOk(command: Command | undefined): boolean {
  const [program, ...args] = command?.kind === 'simple' ? command.words : [];
  return program?.value.value === 'grep' && args.some(({ value }) => /OK/.test(value.value));
}

/** The words with a blank between them, as eval and echo join them. */
function joined(words: readonly Word[]): Text {
  const out = new TextBuilder();
  for (const [i, { value, offset }] of words.entries()) {
    if (i > 0) out.push(' ', offset);
    out.copy(value, 0, value.value.length);
  }
  return out.build(offsetAt(words.at(-1)?.value ?? { value: '', offsets: [] }, Infinity));
}

class Flattener implements Flattened {
  readonly commands: Flat[] = [];
  readonly cases: Case[] = [];
  readonly pipelines: { pipeline: Pipeline; tested: boolean }[] = [];
  readonly unreadable: Unreadable[] = [];

  private options: ShellOptions;

  constructor(options: ShellOptions) {
    this.options = options;
  }

  list(list: List, around: Around): void {
    const outcomes = new Outcomes(list);
    for (const [i, pipeline] of list.entries()) {
      const standing = outcomes.of(i, around, this.options.errexit);
      this.pipelines.push({ pipeline, tested: standing.tested });
      for (const [stage, command] of pipeline.commands.entries()) {
        const upstream = stage === 0 ? around.upstream : pipeline.commands.slice(0, stage);
        const isLast = stage === pipeline.commands.length - 1;
        // The status of a pipeline is that of its end.
        const stops = standing.stops && (isLast || this.options.pipefail || looksForOk(pipeline.commands.at(-1)));
        this.command(command, pipeline, { ...around, ...standing, stops, upstream, piped: around.piped || !isLast });
      }
    }
  }

  private command(command: Command, pipeline: Pipeline, around: Around): void {
    for (const redirect of command.redirects) this.redirect(redirect, command, around);
    if (command.kind === 'simple') {
      this.simple(command, pipeline, around);
      return;
    }
    if (command.kind === 'case') {
      this.cases.push(command);
      this.words([command.subject]);
      for (const arm of command.arms) this.list(arm.body, around);
      return;
    }
    this.words(command.words);
    for (const [i, condition] of command.conditions.entries())
      this.list(condition, { ...around, tested: true, ...decision(command, i) });
    const { keyword } = command;
    // What fails in one round of a loop is forgotten in the next.
    const isLoop = keyword === 'for' || keyword === 'while' || keyword === 'until';
    const stops = around.stops && !isLoop;
    const exits = keyword === '(' ? around.stops : around.exits;
    for (const body of command.bodies)
      if (keyword === 'function') this.list(body, { ...around, stops: true, exits: true });
      else this.inside(keyword === '(', () => this.list(body, { ...around, stops, exits }));
  }

  /** Options that a subshell or another shell sets are its own. */
  private inside(isolated: boolean, read: () => void, options = this.options): void {
    const before = this.options;
    this.options = options;
    read();
    if (isolated) this.options = before;
  }

  private simple(command: Simple, pipeline: Pipeline, around: Around): void {
    // The status of an assignment by itself is that of what it takes.
    const isBare = command.words.length === 0;
    this.words(
      command.assignments.map(({ value }) => value),
      isBare && around.stops,
    );
    this.words(command.words);
    const [program, ...args] = peel(command.words);
    const name = baseName(program?.value.value ?? '');
    this.commands.push({ name, args, command, offset: command.offset, pipeline, ...around });
    const values = args.map(({ value }) => value.value);
    if (name === 'set') this.options = shellOptions(values, this.options);
    const flag = values.findIndex(isShellFlag);
    const options = shellNames.has(name) ? shellOptions(values.slice(0, flag < 0 ? undefined : flag + 1)) : noOptions;
    for (const code of codeOf(name, args))
      this.inside(true, () => this.code(code, { ...around, exits: around.stops }), options);
    const [first] = args;
    if (name === 'eval' && first !== undefined && (args.length > 1 || first.quoted)) this.nested(joined(args), around);
    if (readsStdin(name, args)) this.stdin(name, command, around);
  }

  private code({ word, language }: Code, around: Around): void {
    const text = word.value.value;
    if (language !== 'shell') {
      const found = foreignMeans(language, text);
      if (found !== undefined) this.unreadable.push({ reason: found, offset: word.offset, shell: language });
      return;
    }
    // All of it is what a variable holds: the caller's "$@", or code that is made elsewhere.
    const [variable] = word.variables;
    if (variable !== undefined && /^\$(?:\w+|\{\w+\})$/.test(text)) {
      const known = this.commands.flatMap((one) =>
        one.command.assignments.filter(({ name }) => name === variable.name),
      );
      const printed = known.flatMap(({ value }) => value.scripts);
      for (const { value } of known) if (value.scripts.length === 0) this.nested(value.value, around);
      // What a download prints is pipe-to-shell's.
      const isFetched = printed.some((script) => flatten(script).commands.some(fetches));
      if (known.length === 0 || (printed.length > 0 && !isFetched))
        this.unreadable.push({ reason: `the code is in ${text}`, offset: word.offset });
      return;
    }
    this.nested(word.value, around);
  }

  /** A shell or an interpreter that reads its code from a pipe: what echo prints and cat passes on is read, too. */
  private stdin(name: string, command: Simple, around: Around): void {
    if (command.redirects.some(({ operator }) => operator.startsWith('<'))) return;
    const last = around.upstream.at(-1);
    if (last === undefined) return;
    const language = shellNames.has(name) ? 'shell' : languageOf(name);
    const [program, ...args] = last.kind === 'simple' ? peel(last.words) : [];
    const source = baseName(program?.value.value ?? '');
    const body = last.redirects.find((redirect) => redirect.body !== undefined)?.body;
    if (source === 'cat' && body === undefined) return;
    if (around.upstream.some((each) => commandsIn(each).some(fetches))) return;
    const printed = source === 'echo' || source === 'printf' ? joined(args) : source === 'cat' ? body : undefined;
    if (language === undefined) return;
    if (printed === undefined)
      this.unreadable.push({
        reason: `it comes from ${source === '' ? 'a group' : source}`,
        offset: command.offset,
        shell: `${name} from a pipe`,
      });
    else this.text(language, printed, around);
  }

  private text(language: string, text: Text, around: Around): void {
    if (language === 'shell') this.nested(text, around);
    else {
      const found = foreignMeans(language, text.value);
      if (found !== undefined) this.unreadable.push({ reason: found, offset: offsetAt(text, 0), shell: language });
    }
  }

  private words(words: readonly Word[], stops = false): void {
    for (const word of words)
      for (const script of word.scripts)
        this.inside(true, () => this.list(script, { ...nothingAround, stops, exits: stops, substituted: true }));
  }

  /** A here-document is shell code when a shell reads it, or when nothing does (RUN <<EOF). */
  private redirect(redirect: Redirect, command: Command, around: Around): void {
    this.words([redirect.target]);
    if (redirect.body === undefined || command.kind !== 'simple') {
      this.words(redirect.expanded === undefined ? [] : [redirect.expanded]);
      return;
    }
    const [program, ...args] = peel(command.words);
    const name = baseName(program?.value.value ?? '');
    const language = interpreterOf(redirect.body.value);
    const { body } = redirect;
    const isRead = program === undefined || readsStdin(name, args);
    const reader =
      program === undefined ? (language ?? 'shell') : shellNames.has(name) ? 'shell' : (languageOf(name) ?? name);
    const firstLine =
      program === undefined ? (/^#!.*/.exec(body.value)?.[0] ?? '').split(/\s+/) : args.map(({ value }) => value.value);
    const options = program === undefined && language === undefined ? this.options : shellOptions(firstLine);
    if (isRead) this.inside(true, () => this.text(reader, body, { ...around, exits: around.stops }), options);
    else if (redirect.expanded !== undefined) this.words([redirect.expanded]);
  }

  private nested(text: Text, around: Around): void {
    try {
      this.list(parseShell(text, 1), around);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      this.unreadable.push({ reason: error.message, offset: error.offset });
    }
  }
}

/** flatten walks a script in source order, into substitutions, `sh -c '…'`, `eval '…'` and here-documents. */
export function flatten(list: List, options = noOptions): Flattened {
  const flattener = new Flattener(options);
  flattener.list(list, nothingAround);
  return flattener;
}

const ofCommand = new WeakMap<Command, readonly Flat[]>();
const ofList = new WeakMap<List, readonly Flat[]>();

function remembered<K extends object>(known: WeakMap<K, readonly Flat[]>, key: K, list: () => List): readonly Flat[] {
  const found = known.get(key) ?? flatten(list()).commands;
  known.set(key, found);
  return found;
}

/** commandsIn returns the simple commands of one (compound) command, substitutions included. */
export function commandsIn(command: Command): readonly Flat[] {
  const { offset } = command;
  return remembered(ofCommand, command, () => [{ commands: [command], negated: false, operator: '', offset }]);
}

/** commandsOfWord returns the simple commands inside a word's substitutions. */
export function commandsOfWord(word: Word): readonly Flat[] {
  return word.scripts.flatMap((script) => remembered(ofList, script, () => script));
}
