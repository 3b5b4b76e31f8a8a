import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What each room of src/ may import: the table of docs/architecture.md. `host type` stands for types alone. */
function rulesOf(page: string): Record<string, readonly string[]> {
  const table = /^\| room of `src\/` .*\n.*\n((?:\|.*\n)+)/m.exec(page)?.[1] ?? '';
  const rows = [...table.matchAll(/^\| (\w+) +\|.*\| ([^|]+?) +\|$/gm)];
  return Object.fromEntries(rows.map(([, room = '', may = '']) => [room, may.split(', ')]));
}
const rules = rulesOf(readFileSync(join(root, 'docs/architecture.md'), 'utf8'));

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** Whether an import or export brings in nothing that exists when the program runs. */
function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const named =
      node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? node.exportClause : undefined;
    return node.isTypeOnly || named?.elements.every((element) => element.isTypeOnly) === true;
  }
  const clause = node.importClause;
  if (clause === undefined) return false;
  const named = clause.namedBindings;
  const onlyTypes =
    named !== undefined && ts.isNamedImports(named) && named.elements.every(({ isTypeOnly }) => isTypeOnly);
  return clause.phaseModifier === ts.SyntaxKind.TypeKeyword || (clause.name === undefined && onlyTypes);
}

interface Module {
  readonly name: string;
  readonly typeOnly: boolean;
}

/** Every module that a source names: import and export declarations, import() and the types that import() writes. */
function modulesOf(file: string): Module[] {
  const found: Module[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (node !== undefined && ts.isStringLiteral(node)) found.push({ name: node.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

function importsOf({ file, modules }: { file: string; modules: readonly Module[] }): Import[] {
  return modules.flatMap(({ name, typeOnly }) => {
    if (!name.startsWith('.')) return [];
    const [to] = relative(join(root, 'src'), resolve(dirname(file), name)).split('/');
    const [from] = relative(join(root, 'src'), file).split('/');
    if (from === undefined || to === undefined || from === to) return [];
    return [{ file: relative(root, file), from, to, typeOnly }];
  });
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const allowed = rules[from] ?? [];
  // The lab is a product of its own: no other room knows that it exists.
  return (
    (allowed.includes('all') && to !== 'lab') || allowed.includes(to) || (typeOnly && allowed.includes(`${to} type`))
  );
}

describe('import rules', () => {
  const files = sources(join(root, 'src')).map((file) => ({ file, modules: modulesOf(file) }));
  const all = files.flatMap(importsOf);

  it('reads imports at all', () => {
    expect(all.length).toBeGreaterThan(5);
    expect(rules).toMatchObject({ errors: ['–'], oci: ['errors', 'core', 'host type'], flows: ['all'] });
  });

  it('knows types from values, however they are imported', () => {
    const imported = all.filter(({ to }) => to === 'host');
    expect(new Set(imported.map(({ typeOnly }) => typeOnly))).toEqual(new Set([true, false]));
  });

  it('rooms import only what the table allows', () => {
    expect(all.filter((found) => !isAllowed(found))).toEqual([]);
  });

  it('every folder of src/ is in the table', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map((room) => room.name).filter((name) => !(name in rules))).toEqual([]);
  });

  /** Each exemption has its reason; one that is not needed any more fails the test. */
  const exempt: Record<string, string> = {
    'src/engines/buildkit/workers.ts': 'HTTP/2 over the connection that the Engine API has handed over',
    'src/engines/connect-docker.ts': 'an http.Agent whose connections are the ssh process that Host.exec runs',
    'src/sigstore/door.ts': 'types only: it bounds the requests that @sigstore/sign makes',
  };

  it('only the host opens processes, files and sockets', () => {
    const doors = /^(?:node:)?(?:child_process|cluster|dgram|fs|fs\/promises|http|http2|https|net|tls)$|^zx$/;
    const breaches = files
      .filter(({ file }) => !/\/src\/(?:host|lab)\//.test(file))
      .filter(({ modules }) => modules.some(({ name }) => doors.test(name)));
    expect(breaches.map(({ file }) => relative(root, file))).toEqual(Object.keys(exempt));
  });

  /** What a file imports, names as a path or starts, relative to the project. */
  const mentions = (directory: string, what: RegExp): string[] =>
    sources(join(root, directory))
      .filter((file) => what.test(readFileSync(file, 'utf8')))
      .map((file) => relative(root, file));

  it('nothing that is used imports or starts what lies in test/', () => {
    const fromTests = /(?:from|import)\s*\(?\s*'(?:\.\.?\/)+test\/|'(?:\.\/)?test\//;
    expect(['src', 'scripts', 'bin'].flatMap((directory) => mentions(directory, fromTests))).toEqual([]);
    // The expression finds what it looks for: the benches live in test/ and import each other.
    expect(mentions('test/sigstore', /from '(?:\.\.?\/)+support\//).length).toBeGreaterThan(0);
  });

  it('the lab is reached by its own command, setup, the demo and the door that finds a running one', () => {
    const doors = [
      'scripts/demo/cosign.ts',
      'scripts/demo/trust.ts',
      'scripts/environment-options.ts',
      'scripts/setup.ts',
    ];
    expect(mentions('scripts', /(?:from|import)\s*\(?\s*'(?:\.\.\/)+src\/lab\//).sort()).toEqual(doors);
  });

  it('every line leaves the process through one place, which escapes it', () => {
    // Each writes what it escaped itself, or nothing but its own words.
    const sinks = ['src/host/index.ts', 'scripts/ending.ts', 'scripts/runner-image.ts'];
    const forPeople = ['scripts/checks.ts', 'scripts/demo.ts', 'scripts/demo/step.ts', 'scripts/setup.ts'];
    const writes = /process\.std(?:out|err)(?!\.isTTY|\.columns)|\bconsole\.(?:log|info|warn|error|debug)\(/;
    const found = [...mentions('src', writes), ...mentions('scripts', writes)];
    expect(found.filter((file) => !file.startsWith('src/lab/')).sort()).toEqual([...sinks, ...forPeople].sort());
  });

  it('scripts stay thin', () => {
    const long = readdirSync(join(root, 'scripts'), { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => readFileSync(join(root, 'scripts', name), 'utf8').split('\n').length > 140);
    expect(long).toEqual([]);
  });

  it('no TypeScript file of src has more than 250 lines', () => {
    const long = files.filter(({ file }) => readFileSync(file, 'utf8').trimEnd().split('\n').length > 250);
    expect(long.map(({ file }) => relative(root, file))).toEqual([]);
  });
});
