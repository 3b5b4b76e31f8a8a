import { LineCounter, parseDocument, isCollection, isNode, type Document } from 'yaml';
import { policySchema, type LayerOrigin, type Location, type Policy } from '../../core/index.ts';

/** Where a policy file was read: out of the image, or from a file of the project. */
export type PolicyOrigin =
  | { readonly $case: 'image'; readonly path: string; readonly layer?: LayerOrigin | undefined }
  | { readonly $case: 'file'; readonly file: string };

/** PolicySource is policy.yaml as bytes, and policy.rego where there is one. */
export interface PolicySource {
  readonly text: string;
  readonly origin: PolicyOrigin;
  readonly rego?: { readonly text: string; readonly name: string } | undefined;
}

export interface PolicyProblem {
  /** Unknown keys are their own kind: the supervisor ignores them, and a layer of defence with them. */
  readonly kind: 'unknown-key' | 'shape' | 'yaml';
  /** Dotted path, e.g. `network_policies.github.endpoints.0.host`. */
  readonly key: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

export interface ReadPolicy {
  /** What could be understood: unknown keys dropped, as the supervisor does; absent if it is no policy at all. */
  readonly policy?: Policy | undefined;
  readonly problems: readonly PolicyProblem[];
  /** The location of a key, by its path. */
  readonly at: (path: readonly PropertyKey[]) => Location;
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): { line: number; col: number } {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isCollection(parent)
      ? parent.items.find(
          (item) => 'key' in (item as object) && String((item as { key: unknown }).key) === String(last),
        )
      : undefined;
    const node: unknown =
      pair === undefined ? document.getIn(path.slice(0, length), true) : (pair as { key: unknown }).key;
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset !== undefined) return lines.linePos(offset);
  }
  return { line: 1, col: 1 };
}

/** Removes the keys that the schema does not know, so that the rest can still be looked at. */
function without(value: unknown, unknown: readonly (readonly PropertyKey[])[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const path of unknown) {
    let here: unknown = copy;
    for (const part of path.slice(0, -1))
      here = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[part] : undefined;
    const last = path.at(-1);
    if (typeof here === 'object' && here !== null && last !== undefined) Reflect.deleteProperty(here, last);
  }
  return copy;
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** distance counts the letters to insert, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}

/** The nearest known key, when the difference is a slip of the fingers. */
function meant(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map((name) => ({ name, far: distance(key.slice(0, 100), name) }))
    .sort((a, b) => a.far - b.far);
  const close = nearest !== undefined && nearest.far <= Math.max(2, nearest.name.length / 3);
  return close ? `${nearest.name} is meant, perhaps` : `known are ${known.join(', ')}`;
}

function problemsOf(value: unknown): PolicyProblem[] {
  const result = policySchema.safeParse(value);
  return (result.error?.issues ?? []).flatMap((issue): PolicyProblem[] => {
    if (issue.code !== 'unrecognized_keys')
      return [{ kind: 'shape', key: dotted(issue.path), message: issue.message, path: issue.path }];
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const hint = issue.path.length === 0 ? `; ${meant(key, Object.keys(policySchema.shape))}` : '';
      return { kind: 'unknown-key', key: dotted(path), message: `the supervisor does not know it${hint}`, path };
    });
  });
}

const known = new WeakMap<PolicySource, ReadPolicy>();

/** readPolicy understands as much of a policy file as it can, and says what it could not. */
export function readPolicy(source: PolicySource): ReadPolicy {
  const read = known.get(source) ?? understand(source);
  known.set(source, read);
  return read;
}

function understand({ text, origin }: PolicySource): ReadPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (path: readonly PropertyKey[]): Location => {
    if (origin.$case === 'image') return { $case: 'path', path: origin.path, layer: origin.layer };
    const { line, col } = lineOf(document, lines, path);
    return { $case: 'file', file: origin.file, line, column: col };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, linePos }): PolicyProblem => {
      const line = linePos === undefined ? '' : `line ${linePos[0].line}: `;
      return { kind: 'yaml', key: '', message: `${line}${message.split('\n')[0] ?? ''}`, path: [] };
    });
    return { problems, at };
  }
  const value: unknown = document.toJS();
  const problems = problemsOf(value);
  const unknown = problems.filter(({ kind }) => kind === 'unknown-key').map(({ path }) => path);
  const rest = policySchema.safeParse(without(value, unknown));
  return { policy: rest.success ? rest.data : undefined, problems, at };
}

/** regoKeys lists the top-level keys of the data that a policy.rego reads: `data.x`, `object.get(data, "x", …)`. */
export function regoKeys(rego: string): string[] {
  const code = rego.replaceAll(/^\s*#.*$/gm, '');
  const found = [
    ...code.matchAll(/\bdata\.([A-Za-z_]\w*)/g),
    ...code.matchAll(/\bdata\[\s*"([^"]+)"\s*\]/g),
    ...code.matchAll(/object\.get\(\s*data\s*,\s*"([^"]+)"/g),
  ];
  return [...new Set(found.flatMap(([, key]) => (key === undefined ? [] : [key])))].sort();
}
