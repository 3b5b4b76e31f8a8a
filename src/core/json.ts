import { isUtf8 } from 'node:buffer';
import { AppError, type Where } from '../errors/index.ts';
import type { Shape } from './json-shapes.ts';

export type JsonPath = readonly (string | number)[];

export interface JsonOptions {
  readonly shape?: Shape | undefined;
  /** The file that holds the document, for errors. */
  readonly file?: string | undefined;
}

/** No document of an image nests deeper than ten; Go itself stops at 10,000, where our recursion would not hold. */
const maxDepth = 100;

/** A surrogate without its other half: Go reads every one as U+FFFD. */
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

const isOne = (text: string): boolean => Array.from(text).length === 1;

/**
 * foldKey returns the same text for two keys that Go's encoding/json takes for one member: Unicode's simple case
 * folding, in which K (Kelvin sign) is k and ſ is s.
 */
export function foldKey(key: string): string {
  if (/^[\0-\x7f]*$/.test(key)) return key.toLowerCase();
  const fold = (character: string): string => {
    const upper = character.toUpperCase();
    const lower = (isOne(upper) ? upper : character).toLowerCase();
    return isOne(lower) ? lower : character;
  };
  return Array.from(key.replace(loneSurrogate, '\uFFFD'), fold).join('');
}

/** formatJsonPath returns `$.config.User`, `$.manifests[1].annotations["a.b"]`. */
export function formatJsonPath(path: JsonPath): string {
  const step = (key: string | number): string =>
    typeof key === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,80}$/.test(key)
      ? `.${key}`
      : `[${typeof key === 'string' ? JSON.stringify(key.slice(0, 80)) : key}]`;
  return `$${path.map(step).join('')}`;
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

interface Frame {
  /** Undefined for an array. */
  readonly keys: Map<string, { readonly path: JsonPath; readonly offset: number }> | undefined;
  readonly shape: Shape;
  /** What the value to come is called. */
  at: string | number;
}

/** What a key is compared by: as it is in a map, folded in a struct. */
const identity = (key: string, shape: Shape): string =>
  shape === 'map' ? key.replace(loneSurrogate, '\uFFFD') : foldKey(key);

function shapeBelow(frame: Frame): Shape {
  const { shape, at, keys } = frame;
  if (typeof shape === 'string') return 'any';
  if (keys === undefined) return Array.isArray(shape) ? (shape[0] as Shape) : 'any';
  return Object.hasOwn(shape, at) ? ((shape as Readonly<Record<string, Shape>>)[at] ?? 'any') : 'any';
}

/** KeyCheck goes through a text that JSON.parse has accepted, and looks at keys only: all else is known to be right. */
class KeyCheck {
  private readonly text: string;
  private readonly what: string;
  private readonly options: JsonOptions;
  private readonly frames: Frame[] = [];

  constructor(text: string, what: string, options: JsonOptions) {
    this.text = text;
    this.what = what;
    this.options = options;
  }

  run(): void {
    let keyNext = false;
    for (let at = 0; at < this.text.length; at++) {
      const frame = this.frames.at(-1);
      switch (this.text.charAt(at)) {
        case '{':
        case '[':
          this.open(this.text.charAt(at) === '{', frame, at);
          keyNext = this.text.charAt(at) === '{';
          break;
        case '}':
        case ']':
          this.frames.pop();
          keyNext = false;
          break;
        case ',':
          if (typeof frame?.at === 'number') frame.at++;
          else keyNext = true;
          break;
        case '"': {
          const end = this.endOfString(at);
          if (keyNext && frame !== undefined) this.key(frame, JSON.parse(this.text.slice(at, end)) as string, at);
          keyNext = false;
          at = end - 1;
        }
      }
    }
  }

  private endOfString(start: number): number {
    let at = start + 1;
    while (this.text[at] !== '"') at += this.text[at] === '\\' ? 2 : 1;
    return at + 1;
  }

  private open(object: boolean, parent: Frame | undefined, offset: number): void {
    if (this.frames.length === maxDepth)
      throw this.error('core/json-depth', `${this.what} nests too deep`, offset, {
        expected: `at most ${maxDepth} levels`,
        found: `more at ${this.place(this.path(), offset)}`,
      });
    const shape = parent === undefined ? (this.options.shape ?? 'any') : shapeBelow(parent);
    this.frames.push(object ? { keys: new Map(), shape, at: '' } : { keys: undefined, shape, at: 0 });
  }

  private path(): JsonPath {
    return this.frames.map(({ at }) => at);
  }

  private place(path: JsonPath, offset: number): string {
    const { line, column } = placeOf(this.text, offset);
    return `${formatJsonPath(path)} (${line}:${column})`;
  }

  private key(frame: Frame, key: string, offset: number): void {
    frame.at = key;
    const path = this.path();
    const id = identity(key, frame.shape);
    const known = frame.keys?.get(id);
    if (known !== undefined)
      throw this.error('core/json-keys', `${this.what} names one member twice`, offset, {
        expected: 'each member once: engines read names without regard to case, and merge or replace what came before',
        found: `${this.place(path, offset)} beside ${this.place(known.path, known.offset)}`,
      });
    frame.keys?.set(id, { path, offset });
    if (typeof frame.shape === 'string' || Object.hasOwn(frame.shape, key)) return;
    const meant = Object.keys(frame.shape).find((name) => foldKey(name) === id);
    if (meant !== undefined)
      throw this.error('core/json-keys', `${this.what} spells a member as only some readers know it`, offset, {
        expected: formatJsonPath([...path.slice(0, -1), meant]),
        found: this.place(path, offset),
      });
  }

  private error(code: string, message: string, offset: number, facts: { expected: string; found: string }): AppError {
    const { file } = this.options;
    const where: Where | undefined = file === undefined ? undefined : { file, ...placeOf(this.text, offset) };
    return new AppError(code, 'upstream', message, {
      ...facts,
      where,
      hint: 'no image builder writes this: check what produced it',
    });
  }
}

/**
 * readJson reads a document from outside so that it means here what it means to engines written in Go: UTF-8, and
 * no object with a key twice, or with keys that differ in case only. With a `shape`, a known member must be spelt as
 * there. Throws `core/oci-json` for text that is not JSON, `core/json-keys` with the place, `core/json-depth`.
 */
export function readJson(bytes: Uint8Array | string, what: string, options: JsonOptions = {}): unknown {
  const where = options.file === undefined ? {} : { where: { file: options.file } };
  if (typeof bytes !== 'string' && !isUtf8(bytes))
    throw new AppError('core/oci-json', 'upstream', `${what} is not UTF-8`, where);
  const text =
    typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('core/oci-json', 'upstream', `${what} is not JSON`, { ...where, cause });
  }
  new KeyCheck(text, what, options).run();
  return value;
}

/**
 * withoutNulls returns the value as Go reads it: null is as good as absent, and in the place of a list an empty one.
 * Members that the shape does not name stay as they are.
 */
export function withoutNulls(value: unknown, shape: Shape): unknown {
  if (typeof shape === 'string') return value;
  if (Array.isArray(shape)) {
    if (value === null) return [];
    return Array.isArray(value) ? value.map((element) => withoutNulls(element, shape[0] as Shape)) : value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const below = Object.hasOwn(shape, name) ? (shape as Readonly<Record<string, Shape>>)[name] : undefined;
    if (below === undefined) return [[name, member]];
    return member === null && !Array.isArray(below) ? [] : [[name, withoutNulls(member, below)]];
  });
  return Object.fromEntries(members) as unknown;
}
