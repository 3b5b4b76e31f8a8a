import type { Word } from '../shell/ast.ts';
import { fetches, type Flat } from '../shell/flat.ts';
import { commandsIn, commandsOfWord } from '../shell/flatten.ts';
import { downloadsOf, isRemote } from '../shell/downloads.ts';
import { mountsOf, type Model, type Stage } from '../../dockerfile/index.ts';
import { inStages, texts, type Lint, type LintScript } from '../rule.ts';
import { isAncestor, meaningOf, resolvePath, workdirOf } from '../scope.ts';

/** Where the expected checksum comes from; only the first two are worth anything. */
export type ChecksumSource = 'literal' | 'committed' | 'network' | 'unknown';

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

const hex = /(?:^|[^0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?![0-9a-fA-F])/;
const tools = /^(?:sha(?:256|384|512)sum|shasum|b2sum)$/;

/** Where the context put something, and the offset of the instruction that did. */
type Placed = ReadonlyMap<string, readonly { readonly stage: Stage; readonly offset: number }[]>;

const placed = new WeakMap<Model, Placed>();

/** Paths that COPY and ADD fill from the context, of the whole file: searching them for every check would be quadratic. */
function placedPaths(model: Model): Placed {
  const known = placed.get(model);
  if (known !== undefined) return known;
  const paths = new Map<string, { stage: Stage; offset: number }[]>();
  for (const { stage, instruction } of inStages(model, 'COPY', 'ADD')) {
    if (instruction.onbuild || instruction.flags.some((flag) => flag.name === 'from')) continue;
    const sources = instruction.words.slice(0, -1).map((word) => word.text.value);
    const target = instruction.words.at(-1)?.text.value;
    if (target === undefined || sources.some(isRemote)) continue;
    const directory = workdirOf(model, stage, instruction);
    const all = [target, ...sources.map((source) => `${target}/${source.replace(/^.*\//, '')}`)];
    for (const path of new Set(all.map((each) => resolvePath(directory, each)))) {
      const places = paths.get(path);
      if (places === undefined) paths.set(path, [{ stage, offset: instruction.offset }]);
      else places.push({ stage, offset: instruction.offset });
    }
  }
  placed.set(model, paths);
  return paths;
}

/** Paths that the context is mounted at for this RUN. */
function mountedPaths({ model }: Lint, run: LintScript): string[] {
  return mountsOf(run.instruction, model.escape).flatMap((mount) => {
    const target = mount.get('target')?.text.value;
    const isBind = (mount.get('type')?.text.value ?? 'bind') === 'bind';
    return isBind && !mount.has('from') && target !== undefined ? [target] : [];
  });
}

const parents = (path: string): string[] => {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/') || '/');
};

class Tracer {
  private readonly lint: Lint;
  private readonly run: LintScript;
  private readonly mounted: readonly string[];
  private readonly fetched: readonly string[];
  private readonly directory: string;
  readonly arguments: { name: string; offset: number }[] = [];

  constructor(lint: Lint, run: LintScript) {
    this.lint = lint;
    this.run = run;
    this.mounted = mountedPaths(lint, run);
    this.fetched = downloadsOf(run.flat).flatMap(({ file }) => file?.replace(/^.*\//, '') ?? []);
    this.directory = run.stage === undefined ? '/' : workdirOf(lint.model, run.stage, run.instruction);
  }

  path(text: string): ChecksumSource {
    if (this.fetched.includes(text.replace(/^.*\//, ''))) return 'network';
    const absolute = resolvePath(this.directory, text);
    const isMounted = this.mounted.some(
      (path) => absolute === path || absolute.startsWith(`${path === '/' ? '' : path}/`),
    );
    const { model } = this.lint;
    const { stage, instruction } = this.run;
    const isPlaced = (path: string): boolean =>
      (placedPaths(model).get(path) ?? []).some(
        (one) => one.offset < instruction.offset && stage !== undefined && isAncestor(model, one.stage, stage),
      );
    return isMounted || parents(absolute).some(isPlaced) ? 'committed' : 'unknown';
  }

  word(word: Word, depth = 0): ChecksumSource {
    const inner = commandsOfWord(word);
    if (inner.length > 0 && !inner.every(isHashing)) return this.commands(inner);
    if (hex.test(word.value.value)) return 'literal';
    let source: ChecksumSource = 'unknown';
    for (const variable of depth > 4 ? [] : word.variables) {
      const one = this.variable(variable.name, variable.offset, depth);
      if (one === 'network') return one;
      if (source === 'unknown') source = one;
    }
    return source;
  }

  private variable(name: string, offset: number, depth: number): ChecksumSource {
    const assigned = this.run.flat.commands.flatMap(({ command }) =>
      command.assignments.filter((one) => one.name === name),
    );
    if (assigned.length > 0) {
      const sources = assigned
        .filter(({ value }) => value.value.value !== '')
        .map(({ value }) => this.word(value, depth + 1));
      if (sources.includes('network')) return 'network';
      return sources.length === 0 || sources.includes('unknown') ? 'unknown' : (sources[0] ?? 'unknown');
    }
    if (this.run.stage === undefined) return 'unknown';
    const meaning = meaningOf(this.lint.model, this.run.stage, this.run.instruction, name);
    if (meaning?.overridable === true) this.arguments.push({ name, offset });
    return meaning?.value !== undefined && hex.test(meaning.value.text.value) ? 'literal' : 'unknown';
  }

  /** What the output of these commands is made from. */
  commands(commands: readonly Flat[]): ChecksumSource {
    let source: ChecksumSource = 'unknown';
    for (const flat of commands) {
      if (fetches(flat)) return 'network';
      for (const word of [
        ...flat.args,
        ...flat.command.redirects.filter(({ operator }) => operator.startsWith('<')).map(({ target }) => target),
      ]) {
        const one = this.word(word);
        const answer = one === 'unknown' && namesFile(flat, word) ? this.path(word.value.value) : one;
        if (answer === 'network') return answer;
        if (source === 'unknown') source = answer;
      }
      for (const { body } of flat.command.redirects) if (body !== undefined && hex.test(body.value)) source = 'literal';
    }
    return source;
  }
}

/** What echo says and what grep looks for are no files. */
function namesFile(flat: Flat, word: Word): boolean {
  if (flat.name === 'echo' || flat.name === 'printf' || word.value.value.startsWith('-')) return false;
  const searches = /^(?:e|f|z)?grep$|^(?:g|m)?awk$|^sed$/.test(flat.name);
  return !searches || word !== flat.args.find(({ value }) => !value.value.startsWith('-'));
}

function isHashing(flat: Flat): boolean {
  return (
    tools.test(flat.name) ||
    (flat.name === 'openssl' && flat.args[0]?.value.value === 'dgst') ||
    ['cut', 'awk', 'head', 'sed', 'tr'].includes(flat.name)
  );
}

/** `-c`, `--check`, also bundled; shasum -a 256 -c. */
function isCheck(flat: Flat): boolean {
  return tools.test(flat.name) && flat.args.some(({ value }) => /^(?:--check|-[a-zA-Z]*c[a-zA-Z]*)$/.test(value.value));
}

/** `[ "$(sha256sum f | cut -d' ' -f1)" = <hex> ]` and the like. */
function isComparison(flat: Flat): boolean {
  return (
    ['[', '[[', 'test'].includes(flat.name) &&
    flat.args.some((word) => commandsOfWord(word).some(({ name }) => tools.test(name)))
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
function listCheck(tracer: Tracer, run: LintScript, flat: Flat): Pick<Check, 'source' | 'files' | 'lists'> {
  const inputs = flat.args.filter(({ value }) => !value.value.startsWith('-') && !/^\d+$/.test(value.value));
  if (inputs.length > 0 && !texts(inputs).every((text) => text === '-'))
    return { source: worst(inputs.map((word) => inputSource(tracer, word, run))), files: [], lists: texts(inputs) };
  const sources = flat.upstream.flatMap((command) => commandsIn(command));
  const here = bodiesOf(flat);
  const fed = flat.command.redirects.filter(({ operator }) => operator === '<<<').map(({ target }) => target);
  const files = listFiles([...sources.flatMap(({ args }) => args), ...fed], [...here, ...sources.flatMap(bodiesOf)]);
  if (here.some((body) => hex.test(body))) return { source: 'literal', files, lists: [] };
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
function comparison(tracer: Tracer, flat: Flat): Pick<Check, 'source' | 'files'> {
  const hashed = flat.args.flatMap(commandsOfWord).flatMap(({ args }) => texts(args));
  const sources = flat.args
    .filter((word) => !commandsOfWord(word).some(({ name }) => tools.test(name)))
    .map((word) => tracer.word(word));
  return {
    source: sources.find((source) => source !== 'unknown') ?? 'unknown',
    files: hashed.filter((text) => !text.startsWith('-') && /[./]/.test(text)),
  };
}

/** isCommittedIn returns whether a path of a RUN came from the context. */
export function isCommittedIn(lint: Lint, run: LintScript): (path: string) => boolean {
  const tracer = new Tracer(lint, run);
  return (path) => tracer.path(path) === 'committed';
}

/** checksOf returns every checksum comparison of a RUN, with whether its failure would stop the RUN. */
export function checksOf(lint: Lint, run: LintScript): Check[] {
  const checks: Check[] = [];
  let tracer: Tracer | undefined;
  for (const [index, flat] of run.flat.commands.entries()) {
    if (!isCheck(flat) && !isComparison(flat)) continue;
    tracer ??= new Tracer(lint, run);
    const found = isCheck(flat) ? listCheck(tracer, run, flat) : comparison(tracer, flat);
    const from = tracer.arguments.splice(0);
    checks.push({ lists: [], ...found, offset: flat.offset, index, stops: flat.stops, arguments: from });
  }
  return checks;
}

/** A list given by name: committed, fetched, or written in this RUN with a literal. */
function inputSource(tracer: Tracer, word: Word, run: LintScript): ChecksumSource {
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
