import { offsetAt, TextBuilder, type Text } from '../../dockerfile/index.ts';
import type { Case, Command, List, Pipeline, Redirect, Simple, Word } from './ast.ts';
import { baseName, codeOf, readsStdin, shellNames, type Code } from './code.ts';
import { foreignMeans, languageOf } from './foreign.ts';
import { parseShell, ShellSyntaxError } from './parse.ts';

/** Flat is one simple command with what stands around it; a script is the row of its Flats in order. */
export interface Flat {
  /** Base name of the program, wrappers such as sudo, env and exec peeled off; '' for a bare assignment. */
  readonly name: string;
  readonly args: readonly Word[];
  readonly command: Simple;
  readonly offset: number;
  /** The pipeline it stands in. */
  readonly pipeline: Pipeline;
  /** Commands whose output it reads: those before it in its pipeline, or in the one its group stands in. */
  readonly upstream: readonly Command[];
  /** Its output goes down a pipe. */
  readonly piped: boolean;
  /** Its failure is an answer: it stands in an `if`, a `while`, before `||` or behind `!`. */
  readonly tested: boolean;
  /** Its failure ends the script all the same: nothing tests it, or what it decides on is `|| exit 1`. */
  readonly stops: boolean;
  /** It stands inside `$(…)`, backquotes or `<(…)`. */
  readonly substituted: boolean;
}

export interface Unreadable {
  readonly reason: string;
  readonly offset: number;
  readonly shell?: string | undefined;
}

export interface Flattened {
  readonly commands: readonly Flat[];
  readonly cases: readonly Case[];
  readonly pipelines: readonly { readonly pipeline: Pipeline; readonly tested: boolean }[];
  /** Nested code that could not be read, and its language when that is not shell. */
  readonly unreadable: readonly Unreadable[];
}

const wrappers = new Set('sudo env exec command time nice nohup timeout xargs busybox doas builtin stdbuf'.split(' '));
/** Options of the wrappers that take a value. */
const valued = new Set('-u -g -n -k -s -S -C -I -P -L -a --user --unset --chdir'.split(' '));

/** peel drops wrappers and their options: `sudo -E env A=b bash -s` is `bash -s`. */
export function peel(words: readonly Word[]): readonly Word[] {
  let rest = words;
  for (;;) {
    const wrapper = baseName(rest[0]?.value.value ?? '');
    if (!wrappers.has(wrapper)) return rest;
    let i = 1;
    for (; i < rest.length; i++) {
      const text = rest[i]?.value.value ?? '';
      if (valued.has(text)) i += 1;
      else if (wrapper === 'timeout' && /^[0-9.]+[smhd]?$/.test(text)) continue;
      else if (!text.startsWith('-') && !/^[A-Za-z_]\w*=/.test(text)) break;
    }
    if (i >= rest.length) return rest;
    rest = rest.slice(i);
  }
}

/** What holds for every command inside a compound command, a substitution or nested code. */
type Around = Pick<Flat, 'tested' | 'stops' | 'substituted' | 'upstream' | 'piped'>;
const nothingAround: Around = { tested: false, stops: true, substituted: false, upstream: [], piped: false };

function* simpleCommands(list: List): Generator<Simple> {
  for (const { commands } of list)
    for (const command of commands) {
      if (command.kind === 'simple') yield command;
      else
        for (const body of command.kind === 'case' ? command.arms.map((arm) => arm.body) : command.bodies)
          yield* simpleCommands(body);
    }
}

/** endsScript: exit or return with anything but 0, or false. */
export function endsScript(list: List): boolean {
  return [...simpleCommands(list)].some(({ words: [program, status] }, i) => {
    const name = program?.value.value;
    if (name !== 'exit' && name !== 'return') return name === 'false';
    // Alone it passes on the failure that led here.
    return status === undefined ? i === 0 : status.value.value !== '0';
  });
}

/** What the failure of a list's pipeline leads to. */
function outcome(list: List, i: number, around: Around): Pick<Flat, 'tested' | 'stops'> {
  let next = i + 1;
  while (list[next]?.operator === '&&') next += 1;
  const rescued = list[next]?.operator === '||';
  if (!rescued && list[i]?.negated !== true) return around;
  if (!rescued && around.tested) return around;
  const from = rescued ? next : i + 1;
  let end = from;
  while (list[end]?.operator === '&&' || list[end]?.operator === '||') end += 1;
  return { tested: true, stops: endsScript(list.slice(from, end)) };
}

/** interpreterOf returns the language that a `#!` line names, undefined without one. */
export function interpreterOf(text: string): string | undefined {
  const program = /^#![ \t]*(?:\S*\/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?(\S+)/.exec(text)?.[1];
  if (program === undefined) return undefined;
  const name = baseName(program);
  return shellNames.has(name) ? 'shell' : (languageOf(name) ?? name);
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

  list(list: List, around: Around): void {
    for (const [i, pipeline] of list.entries()) {
      const { tested, stops } = outcome(list, i, around);
      this.pipelines.push({ pipeline, tested });
      for (const [stage, command] of pipeline.commands.entries()) {
        const upstream = stage === 0 ? around.upstream : pipeline.commands.slice(0, stage);
        const piped = around.piped || stage < pipeline.commands.length - 1;
        this.command(command, pipeline, { ...around, tested, stops, upstream, piped });
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
    // A loop `until` it succeeds goes no further either.
    const stops = command.keyword === 'until' || (command.keyword === 'if' && command.bodies.some(endsScript));
    for (const condition of command.conditions) this.list(condition, { ...around, tested: true, stops });
    for (const body of command.bodies) this.list(body, around);
  }

  private simple(command: Simple, pipeline: Pipeline, around: Around): void {
    this.words([...command.assignments.map(({ value }) => value), ...command.words]);
    const [program, ...args] = peel(command.words);
    const name = baseName(program?.value.value ?? '');
    this.commands.push({ name, args, command, offset: command.offset, pipeline, ...around });
    for (const code of codeOf(name, args)) this.code(code, around);
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

  private words(words: readonly Word[]): void {
    for (const word of words)
      for (const script of word.scripts) this.list(script, { ...nothingAround, substituted: true });
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
    if (program === undefined) this.text(language ?? 'shell', redirect.body, around);
    else if (readsStdin(name, args))
      this.text(shellNames.has(name) ? 'shell' : (languageOf(name) ?? name), redirect.body, around);
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
export function flatten(list: List): Flattened {
  const flattener = new Flattener();
  flattener.list(list, nothingAround);
  return flattener;
}

/** fetches: the command brings bytes from the network to its stdout or a file. */
export function fetches(flat: Flat): boolean {
  return flat.name === 'curl' || flat.name === 'wget' || flat.name === 'fetch' || flat.name === 'lwp-request';
}

/** commandsIn returns the simple commands of one (compound) command, substitutions included. */
export function commandsIn(command: Command): readonly Flat[] {
  return flatten([{ commands: [command], negated: false, operator: '', offset: command.offset }]).commands;
}

/** commandsOfWord returns the simple commands inside a word's substitutions. */
export function commandsOfWord(word: Word): readonly Flat[] {
  return word.scripts.flatMap((script) => flatten(script).commands);
}
