import type { Piece, Refusal } from './cut.ts';
import { markerOf } from './heredocs.ts';
import { declaredIn } from './instruction.ts';
import type { Model } from './model.ts';
import { csvFields } from './mounts.ts';
import { argumentsOf } from './split.ts';
import { offsetAt, sliceText, trimText } from './text.ts';
import { wordOf } from './words.ts';

type Kind = 'text' | 'list' | 'flag';

/** The flags of each instruction; of those that are not here none, and of ARG and STOPSIGNAL any (instructions/parse.go). */
const flagKinds: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  ADD: {
    chown: 'text',
    chmod: 'text',
    link: 'flag',
    'keep-git-dir': 'flag',
    checksum: 'text',
    unpack: 'flag',
    exclude: 'list',
  },
  COPY: { chown: 'text', from: 'text', chmod: 'text', link: 'flag', exclude: 'list', parents: 'flag' },
  FROM: { platform: 'text' },
  RUN: { device: 'list', mount: 'list', network: 'text', security: 'text' },
  HEALTHCHECK: { interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text' },
};

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

function flagProblem(keyword: string, flags: Piece['flags']): string | undefined {
  const known = flagKinds[keyword] ?? {};
  const seen = new Set<string>();
  for (const { value: flag } of flags) {
    const [, name = '', equals, value = ''] = /^--([^=]*)(=?)(.*)$/s.exec(flag) ?? [];
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) return `found the unknown flag --${name.slice(0, 40)}`;
    if (kind !== 'list' && seen.has(name)) return `found --${name} twice`;
    seen.add(name);
    if (kind === 'flag' ? equals === '=' && !/^(?:true|false)$/i.test(value) : equals === '')
      return `found --${name} without ${kind === 'flag' ? 'true or false' : 'a value'}`;
    if (name === 'network' && !/^(?:default|none|host)$/.test(value)) return `found the unknown network ${value}`;
    if (name === 'security' && !/^(?:insecure|sandbox)$/.test(value)) return `found the unknown security ${value}`;
  }
  return undefined;
}

const duration = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

/** Milliseconds of a Go duration. */
function milliseconds(text: string): number {
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)([a-zµμ]+)/g))
    sum += Number(number) * (units[unit ?? ''] ?? 0);
  return text.startsWith('-') ? -sum : sum;
}

function healthProblem(piece: Piece): string | undefined {
  if (piece.type === '') return 'found no command';
  if (piece.type === 'NONE')
    return piece.rest.value === '' && !Array.isArray(piece.json) ? undefined : 'found arguments behind NONE';
  const flags = flagProblem('HEALTHCHECK', piece.flags);
  if (flags !== undefined) return flags;
  if (piece.type !== 'CMD') return `found ${piece.type.slice(0, 40)}, which is neither CMD nor NONE`;
  if (argumentsOf(piece, '\\').length === 0) return 'found no command behind CMD';
  for (const { value: flag } of piece.flags) {
    const [, name, value = ''] = /^--([^=]*)=(.*)$/s.exec(flag) ?? [];
    if (value === '') continue;
    if (name === 'retries') {
      if (!/^\+?\d+$/.test(value) || Number(value) > 2_147_483_647)
        return `found the number of retries ${value.slice(0, 20)}`;
    } else if (!duration.test(value) || (milliseconds(value) !== 0 && milliseconds(value) < 1))
      return `found the duration ${value.slice(0, 20)}`;
  }
  return undefined;
}

/** What BuildKit says against the instruction by itself; `found …`. */
function problemOf(piece: Piece, escape: string, inStage: boolean): string | undefined {
  const { keyword, rest, json } = piece;
  if (json === 'mixed') return 'found a JSON array of something other than strings';
  if (['ENV', 'LABEL'].includes(keyword)) {
    const words = argumentsOf(piece, escape);
    const [first] = words;
    // `ENV name` and `ENV a=b c` leave nothing of the whole file.
    if (first?.value.includes('=') === false && !/[\t\v\f\r ]/.test(rest.value))
      return `found ${keyword} without a value`;
    if (first?.value.includes('=') === true && words.some(({ value }) => !value.includes('=')))
      return 'found a word without =';
  }
  if (piece.onbuild) {
    if (piece.onbuildFlags.length > 0 || keyword === '') return 'found a flag of ONBUILD';
    if (keyword === 'ONBUILD') return 'found no instruction behind ONBUILD';
    return ['FROM', 'MAINTAINER'].includes(keyword) ? `found ${keyword} behind ONBUILD` : undefined;
  }
  if (!keywords.has(keyword)) return undefined;
  if (!inStage && keyword !== 'ARG' && keyword !== 'FROM') return undefined;
  if (keyword === 'HEALTHCHECK') return healthProblem(piece);
  if (keyword !== 'ARG' && keyword !== 'STOPSIGNAL') {
    const flags = flagProblem(keyword, piece.flags);
    if (flags !== undefined) return flags;
  }
  const words = argumentsOf(piece, escape);
  const texts = words.map(({ value }) => value);
  switch (keyword) {
    case 'FROM':
      if (texts.length === 3 && texts[1]?.toLowerCase() === 'as') {
        if (!/^[a-z][a-z0-9\-_.]*$/.test(texts[2]?.toLowerCase() ?? '')) return 'found a name that no stage can have';
      } else if (texts.length !== 1) return `found ${texts.length} words`;
      return words[0] === undefined ? undefined : wordOf(words[0], escape).error;
    case 'ADD':
    case 'COPY':
      if (texts.length < 2) return 'found no destination';
      if (markerOf(texts.at(-1) ?? '') !== undefined) return 'found a here-document as destination';
      break;
    case 'RUN':
      return runProblem(piece);
    case 'ARG':
    case 'ENV':
    case 'LABEL': {
      if (texts.length === 0) return 'found no name';
      for (const { name, value } of declaredIn(piece, escape))
        if (value?.error !== undefined) return `found ${name.slice(0, 40)}, whose value does not end: ${value.error}`;
      if ((keyword === 'ARG' || texts[0]?.includes('=') === true) && texts.some((text) => text.startsWith('=')))
        return 'found an empty name';
      return namesProblem(piece, escape);
    }
    case 'EXPOSE':
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
    case 'VOLUME':
      if (texts.length === 0) return 'found nothing behind it';
      if (keyword === 'VOLUME' && texts.some((text) => text.trim() === '')) return 'found an empty path';
      break;
    case 'SHELL':
      return Array.isArray(json) && json.length > 0 ? undefined : 'found no JSON array with a program';
    default:
      return undefined;
  }
  if (keyword === 'EXPOSE' || keyword === 'MAINTAINER') return undefined;
  const filled = words.filter(({ value }) => !['ADD', 'COPY'].includes(keyword) || markerOf(value) === undefined);
  return [...filled, ...filledFlags(piece)]
    .map((text) => wordOf(text, escape).error)
    .find((error) => error !== undefined);
}

/** The flags of COPY and ADD in which BuildKit fills in variables. */
function filledFlags({ keyword, flags }: Piece): Piece['rest'][] {
  if (keyword !== 'ADD' && keyword !== 'COPY') return [];
  return flags.flatMap((flag) => {
    const name = /^--(?:chown|chmod|checksum)=/.exec(flag.value)?.[0];
    return name === undefined ? [] : [sliceText(flag, name.length, flag.value.length)];
  });
}

function namesProblem(piece: Piece, escape: string): string | undefined {
  const words = argumentsOf(piece, escape);
  const old = piece.keyword !== 'ARG' && words[0]?.value.includes('=') === false;
  const names = old ? [sliceText(piece.rest, 0, piece.rest.value.search(/[\t\v\f\r ]/))] : words;
  for (const word of names) {
    const equals = word.value.indexOf('=');
    const { error } = wordOf(equals < 0 ? word : sliceText(word, 0, equals), escape);
    if (error !== undefined) return `found a name that does not end: ${error}`;
  }
  return undefined;
}

function runProblem({ flags }: Piece): string | undefined {
  for (const flag of flags) {
    const name = /^--(?:mount|device)=/.exec(flag.value)?.[0];
    if (name === undefined) continue;
    const fields = csvFields(sliceText(flag, name.length, flag.value.length));
    if (fields === undefined) return `found ${name} with a quote out of place, or empty`;
    if (name !== '--mount=') continue;
    // Stages are looked up before variables are filled in.
    if (fields.some(({ value }) => /^from=[^$]*\$./i.test(value))) return 'found a variable in the from of a mount';
  }
  return undefined;
}

/** refusalsOf returns every place for which BuildKit refuses the file, but unknown instructions and a missing FROM. */
export function* refusalsOf(model: Model): Generator<Refusal> {
  yield* model.refusals;
  let inStage = false;
  for (const piece of model.pieces) {
    const problem = problemOf(piece, model.escape, inStage);
    if (piece.keyword === 'FROM' && !piece.onbuild) inStage = true;
    if (problem === undefined) continue;
    const what = piece.onbuild ? `ONBUILD ${piece.keyword}` : piece.keyword;
    const message = `${what}: expected what BuildKit reads, ${problem.startsWith('found') ? problem : `found ${problem}`}`;
    yield { offset: offsetAt(trimText(piece.head), 0), message };
  }
}
