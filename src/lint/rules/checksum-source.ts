import type { Word } from '../shell/ast.ts';
import { downloadsOf, isRemote } from '../shell/downloads.ts';
import { fetches, type Flat } from '../shell/flat.ts';
import { commandsOfWord } from '../shell/flatten.ts';
import { mountsOf, type Model, type Stage } from '../../dockerfile/index.ts';
import { inStages, type Lint, type LintScript } from '../rule.ts';
import { isAncestor, meaningOf, resolvePath, workdirOf } from '../scope.ts';

/** Where the expected checksum comes from; only the first two are worth anything. */
export type ChecksumSource = 'literal' | 'committed' | 'network' | 'unknown';

export const hexChecksum = /(?:^|[^0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?![0-9a-fA-F])/;
/** Programs that compute a checksum, or compare one with -c. */
export const checksumTools = /^(?:sha(?:256|384|512)sum|shasum|b2sum)$/;

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

/** SourceTracer finds out where the words, files and commands of a RUN come from. */
export class SourceTracer {
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
    if (hexChecksum.test(word.value.value)) return 'literal';
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
    return meaning?.value !== undefined && hexChecksum.test(meaning.value.text.value) ? 'literal' : 'unknown';
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
      for (const { body } of flat.command.redirects)
        if (body !== undefined && hexChecksum.test(body.value)) source = 'literal';
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
    checksumTools.test(flat.name) ||
    (flat.name === 'openssl' && flat.args[0]?.value.value === 'dgst') ||
    ['cut', 'awk', 'head', 'sed', 'tr'].includes(flat.name)
  );
}
