import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type * as z from 'zod';
import { throwAll, type Where } from '../errors/index.ts';
import { ConfigError } from './errors.ts';

/** Upper limit of one YAML file, in bytes. */
export const maxYamlBytes = 1024 * 1024;

export type Path = readonly PropertyKey[];

/** Read is a value that passed its schema, with the way back to the places it came from. */
export interface Read<T> {
  readonly value: T;
  readonly where: (path: Path) => Where;
}

interface Positions {
  readonly file: string;
  /** Added to every line: the document may start below the top of its file. */
  readonly offset: number;
}

function keyNode(map: Node | null, key: PropertyKey): Node | undefined {
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  return pair !== undefined && isNode(pair.key) ? pair.key : undefined;
}

/** deepest returns the node that a path leads to, or the nearest one above it that is there. */
function deepest(document: Document, path: Path): Node | null {
  let node: Node | null = document.contents;
  for (const step of path) {
    const next: unknown = isMap(node) ? node.get(step, true) : isSeq(node) ? node.get(step, true) : undefined;
    if (!isNode(next)) break;
    node = next;
  }
  return node;
}

function place(counter: LineCounter, at: number, { file, offset }: Positions): Where {
  const { line, col } = counter.linePos(at);
  return { file, line: line + offset, column: col };
}

function nodePlace(counter: LineCounter, node: Node | null | undefined, positions: Positions): Where {
  return place(counter, node?.range?.[0] ?? 0, positions);
}

function issueToError(issue: z.core.$ZodIssue, document: Document, where: (node: Node | null | undefined) => Where) {
  const path = issue.path.join('.') || 'the document';
  if (issue.code === 'unrecognized_keys') {
    const parent = deepest(document, issue.path);
    return issue.keys.map(
      (key) =>
        new ConfigError('config/unknown-key', 'usage', `unknown key ${JSON.stringify(key)}`, {
          where: where(keyNode(parent, key) ?? parent),
          hint: `remove it, or correct its spelling (in ${path})`,
        }),
    );
  }
  const node = deepest(document, issue.path);
  const found = isScalar(node) ? JSON.stringify(node.value).slice(0, 120) : undefined;
  return [
    new ConfigError('config/value', 'usage', `${path}: ${issue.message}`, {
      where: where(node),
      found,
    }),
  ];
}

/** flatten returns the issues of a union's one matching branch, so that a message names the real fault. */
function flatten(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue];
    const [first] = [...issue.errors].sort((a, b) => a.length - b.length);
    if (first === undefined || first.length === 0) return [issue];
    return flatten(first.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })));
  });
}

/**
 * readYaml parses YAML 1.2 strictly and holds it against a schema. Every problem is reported at
 * once, each with file:line:column. Throws `config/yaml`, `config/unknown-key`, `config/value`.
 */
export function readYaml<T>(schema: z.ZodType<T>, text: string, file: string, offset = 0): Read<T> {
  const positions = { file, offset };
  if (Buffer.byteLength(text) > maxYamlBytes)
    throw new ConfigError('config/too-large', 'usage', 'the file is too large', {
      expected: `at most ${maxYamlBytes} bytes`,
      where: { file },
    });
  const counter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: counter,
    uniqueKeys: true,
    prettyErrors: false,
    strict: true,
    merge: false,
  });
  throwAll(
    [...document.errors, ...document.warnings].map(
      (error) =>
        new ConfigError('config/yaml', 'usage', error.message, { where: place(counter, error.pos[0], positions) }),
    ),
  );
  let raw: unknown;
  try {
    // Aliases would let one line stand for values elsewhere; these files do without them.
    raw = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new ConfigError('config/yaml', 'usage', 'anchors and aliases are not accepted', { where: { file }, cause });
  }
  const result = schema.safeParse(raw);
  if (!result.success) {
    const where = (node: Node | null | undefined): Where => nodePlace(counter, node, positions);
    throwAll(flatten(result.error.issues).flatMap((issue) => issueToError(issue, document, where)));
    throw new TypeError('a failed parse without issues');
  }
  return {
    value: result.data,
    where: (path) => nodePlace(counter, deepest(document, path), positions),
  };
}
