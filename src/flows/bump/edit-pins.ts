import { isMap, isScalar, isSeq, parseDocument, stringify, type Node, type Pair, type YAMLMap } from 'yaml';
import type { AppError } from '../../errors/index.ts';
import { platforms, type Digest, type PinEvidence, type Platform } from '../../core/index.ts';
import { BumpError } from './errors.ts';

/** PinEdit is what changes in one entry of pins.yaml; everything else keeps its bytes. */
export interface PinEdit {
  readonly set: Readonly<Record<string, string>>;
  readonly evidence: readonly PinEvidence[];
  readonly platforms?: Readonly<Partial<Record<Platform, Digest>>> | undefined;
  /** Facts under `absent` whose names hold this are known from now on. */
  readonly learned?: string | undefined;
}

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Width at which the project's formatter breaks a line. */
const width = 120;

function scalar(text: string, flow: boolean): string {
  const plain = stringify(text, { singleQuote: true, lineWidth: 0 }).trimEnd();
  if (!flow || plain.startsWith("'") || plain.startsWith('"') || !/[,[\]{}]/.test(plain)) return plain;
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

/** One line of evidence as the formatter lays it out: on one line, or broken where it is too long. */
function flowMap(fields: readonly (readonly [string, string])[], indent: number): string {
  const pairs = fields.map(([key, value]) => `${key}: ${scalar(value, true)}`);
  const line = `${' '.repeat(indent)}- { ${pairs.join(', ')} }`;
  if (line.length <= width) return line;
  const inner = pairs.map((pair) => `${' '.repeat(indent + 4)}${pair},`).join('\n');
  return `${' '.repeat(indent)}- {\n${inner}\n${' '.repeat(indent + 2)}}`;
}

function evidenceText(evidence: readonly PinEvidence[], indent: number): string {
  const lines = evidence.map(({ kind, source, seen }) =>
    flowMap([['kind', kind], ['source', source], ...(seen === undefined ? [] : [['seen', seen] as const])], indent),
  );
  return `\n${lines.join('\n')}`;
}

function shape(file: string, name: string, what: string): AppError {
  return new BumpError('bump/pins-format', 'usage', `pin ${name}: ${what}`, {
    expected: 'block style, one key a line, as the committed file has it',
    where: { file },
  });
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((item) => isScalar(item.key) && item.key.value === key);
}

const rangeOf = (node: unknown): readonly [number, number] => {
  const [from = 0, to = 0] = (node as Node).range ?? [];
  return [from, to];
};

/** Where the value ends, without the blank and comment lines that YAML counts to it. */
function trimmedEnd(text: string, from: number, to: number): number {
  const lines = text.slice(from, to).split('\n');
  while (lines.length > 1 && /^\s*(?:#.*)?$/.test(lines.at(-1) ?? '')) lines.pop();
  return from + lines.join('\n').trimEnd().length;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

function replaceValue(text: string, pair: Pair, value: string): Splice {
  const [, keyEnd] = rangeOf(pair.key);
  const [from, to] = rangeOf(pair.value);
  return { from: text.indexOf(':', keyEnd) + 1, to: trimmedEnd(text, from, to), text: value };
}

function absentSplices(text: string, map: YAMLMap, learned: string): readonly Splice[] {
  const pair = pairOf(map, 'absent');
  if (pair === undefined || !isSeq(pair.value)) return [];
  const items = pair.value.items;
  const gone = items.filter((item) => isMap(item) && String(item.get('fact')).includes(learned));
  const cut = (from: number, to: number): Splice => ({
    from: lineStart(text, from),
    to: lineEnd(text, trimmedEnd(text, from, to)) + 1,
    text: '',
  });
  if (gone.length === 0) return [];
  if (gone.length === items.length) return [cut(rangeOf(pair.key)[0], rangeOf(pair.value)[1])];
  return gone.map((item) => cut(...rangeOf(item)));
}

function platformsText(digests: Readonly<Partial<Record<Platform, Digest>>>, indent: number): string {
  return platforms
    .flatMap((platform) => {
      const digest = digests[platform];
      return digest === undefined ? [] : [`\n${' '.repeat(indent)}${platform}: ${digest}`];
    })
    .join('');
}

function pinSplices(text: string, file: string, name: string, map: YAMLMap, edit: PinEdit): readonly Splice[] {
  const [first] = map.items;
  if (first === undefined || map.flow === true) throw shape(file, name, 'written on one line');
  const [at] = rangeOf(first.key);
  const indent = at - lineStart(text, at);
  const splices: Splice[] = [];
  for (const [key, value] of Object.entries(edit.set)) {
    const pair = pairOf(map, key);
    if (!isScalar(pair?.value)) throw shape(file, name, `no ${key} to replace`);
    const [from, to] = rangeOf(pair.value);
    splices.push({ from, to, text: scalar(value, false) });
  }
  const evidence = pairOf(map, 'evidence');
  if (evidence === undefined) throw shape(file, name, 'no evidence to replace');
  splices.push(replaceValue(text, evidence, evidenceText(edit.evidence, indent + 2)));
  if (edit.platforms !== undefined) {
    const block = platformsText(edit.platforms, indent + 2);
    const present = pairOf(map, 'platforms');
    const digest = pairOf(map, 'digest');
    if (present !== undefined) splices.push(replaceValue(text, present, block));
    else if (digest !== undefined) {
      const end = lineEnd(text, rangeOf(digest.value)[0]);
      splices.push({ from: end, to: end, text: `\n${' '.repeat(indent)}platforms:${block}` });
    }
  }
  if (edit.learned !== undefined) splices.push(...absentSplices(text, map, edit.learned));
  return splices;
}

/**
 * editPins rewrites the facts of some pins by cutting the old text out and the new text in: comments,
 * order, quotes and blank lines elsewhere keep their bytes. Throws `bump/pins-format`.
 */
export function editPins(text: string, file: string, edits: ReadonlyMap<string, PinEdit>): string {
  const document = parseDocument(text);
  const pins = document.get('pins');
  const splices = [...edits].flatMap(([name, edit]) => {
    const map = isMap(pins) ? pins.get(name) : undefined;
    if (!isMap(map)) throw shape(file, name, 'not in the file');
    return pinSplices(text, file, name, map, edit);
  });
  splices.sort((a, b) => b.from - a.from);
  let result = text;
  for (const { from, to, text: piece } of splices) result = result.slice(0, from) + piece + result.slice(to);
  return result;
}
