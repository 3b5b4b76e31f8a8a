import type { Word } from '../shell/ast.ts';
import type { Flat } from '../shell/flat.ts';
import { commandsIn, commandsOfWord } from '../shell/flatten.ts';
import { texts, type Lint, type LintScript } from '../rule.ts';
import { checksumTools, hexChecksum, SourceTracer, type ChecksumSource } from './checksum-source.ts';

/** Check is one command that compares a checksum. */
export interface Check {
  readonly offset: number;
  /** Among the commands of the RUN. */
  readonly index: number;
  readonly source: ChecksumSource;
  /** The RUN fails when it does: it stands neither in `|| true` nor in an `if` that goes on. */
  readonly stops: boolean;
  /** Files that a literal check names; empty when they are unknown. */
  readonly files: readonly string[];
  /** Lists that it reads by name. */
  readonly lists: readonly string[];
  /** Build arguments that the checksum is taken from. */
  readonly arguments: readonly { readonly name: string; readonly offset: number }[];
}

/** `-c`, `--check`, also bundled; shasum -a 256 -c. */
function isCheck(flat: Flat): boolean {
  return (
    checksumTools.test(flat.name) &&
    flat.args.some(({ value }) => /^(?:--check|-[a-zA-Z]*c[a-zA-Z]*)$/.test(value.value))
  );
}

/** `[ "$(sha256sum f | cut -d' ' -f1)" = <hex> ]` and the like. */
function isComparison(flat: Flat): boolean {
  return (
    ['[', '[[', 'test'].includes(flat.name) &&
    flat.args.some((word) => commandsOfWord(word).some(({ name }) => checksumTools.test(name)))
  );
}

function listFiles(words: readonly Word[], heredocs: readonly string[]): string[] {
  const text = [...words.map((word) => word.value.value), ...heredocs].join('\n').replaceAll('\\n', '\n');
  return [...text.matchAll(/(?:^|[\s"])(?:[0-9a-fA-F]{64,128}|\$\{?\w+\}?)[ \t]+\*?([^\s"|]+)/g)].flatMap((match) =>
    match[1] === undefined ? [] : [match[1]],
  );
}

const bodiesOf = ({ command }: Flat): string[] => command.redirects.flatMap(({ body }) => body?.value ?? []);

/** `sha256sum -c`: the lists that it is given, or what it reads. */
function listCheck(tracer: SourceTracer, run: LintScript, flat: Flat): Pick<Check, 'source' | 'files' | 'lists'> {
  const inputs = flat.args.filter(({ value }) => !value.value.startsWith('-') && !/^\d+$/.test(value.value));
  if (inputs.length > 0 && !texts(inputs).every((text) => text === '-'))
    return { source: worst(inputs.map((word) => inputSource(tracer, word, run))), files: [], lists: texts(inputs) };
  const sources = flat.upstream.flatMap((command) => commandsIn(command));
  const here = bodiesOf(flat);
  const fed = flat.command.redirects.filter(({ operator }) => operator === '<<<').map(({ target }) => target);
  const files = listFiles([...sources.flatMap(({ args }) => args), ...fed], [...here, ...sources.flatMap(bodiesOf)]);
  if (here.some((body) => hexChecksum.test(body))) return { source: 'literal', files, lists: [] };
  const own = flat.command.redirects.length > 0 ? [{ ...flat, args: fed }] : [];
  // `grep FILE list | sha256sum -c -`: what is looked for is the file.
  const searched = sources
    .filter(({ name }) => /^(?:e|f|z)?grep$/.test(name))
    .flatMap(({ args }) =>
      texts(args)
        .filter((text) => !text.startsWith('-'))
        .slice(0, 1),
    );
  const named = files.length === 0 ? searched.map((text) => text.replace(/^[^\w$./]+|\$$|\\/g, '')) : files;
  return { source: tracer.commands([...sources, ...own]), files: named, lists: [] };
}

/** The other side of a comparison, and the files whose checksum is one side. */
function comparison(tracer: SourceTracer, flat: Flat): Pick<Check, 'source' | 'files'> {
  const hashed = flat.args.flatMap(commandsOfWord).flatMap(({ args }) => texts(args));
  const sources = flat.args
    .filter((word) => !commandsOfWord(word).some(({ name }) => checksumTools.test(name)))
    .map((word) => tracer.word(word));
  return {
    source: sources.find((source) => source !== 'unknown') ?? 'unknown',
    files: hashed.filter((text) => !text.startsWith('-') && /[./]/.test(text)),
  };
}

/** isCommittedIn returns whether a path of a RUN came from the context. */
export function isCommittedIn(lint: Lint, run: LintScript): (path: string) => boolean {
  const tracer = new SourceTracer(lint, run);
  return (path) => tracer.path(path) === 'committed';
}

/** checksOf returns every checksum comparison of a RUN, with whether its failure would stop the RUN. */
export function checksOf(lint: Lint, run: LintScript): Check[] {
  const checks: Check[] = [];
  let tracer: SourceTracer | undefined;
  for (const [index, flat] of run.flat.commands.entries()) {
    if (!isCheck(flat) && !isComparison(flat)) continue;
    tracer ??= new SourceTracer(lint, run);
    const found = isCheck(flat) ? listCheck(tracer, run, flat) : comparison(tracer, flat);
    const from = tracer.arguments.splice(0);
    checks.push({ lists: [], ...found, offset: flat.offset, index, stops: flat.stops, arguments: from });
  }
  return checks;
}

/** A list given by name: committed, fetched, or written in this RUN with a literal. */
function inputSource(tracer: SourceTracer, word: Word, run: LintScript): ChecksumSource {
  const source = tracer.path(word.value.value);
  if (source !== 'unknown') return source;
  const inner = commandsOfWord(word);
  if (inner.length > 0) return tracer.commands(inner);
  const writers = run.flat.commands.filter(({ command }) =>
    command.redirects.some(
      ({ operator, target }) => operator.startsWith('>') && target.value.value === word.value.value,
    ),
  );
  return writers.length === 0 ? 'unknown' : worst(writers.map((writer) => tracer.commands([writer])));
}

function worst(sources: readonly ChecksumSource[]): ChecksumSource {
  for (const bad of ['network', 'unknown'] as const) if (sources.includes(bad)) return bad;
  return sources[0] ?? 'unknown';
}
