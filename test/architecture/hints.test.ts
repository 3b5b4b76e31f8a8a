import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../scripts/commands.ts';
import { define } from '../../scripts/parser.ts';

const root = join(import.meta.dirname, '../..');
/** Programs whose options are theirs: what stands behind one of them is not ours to answer for. */
const others =
  /(?:^|[\s`(])(?:docker|podman|buildah|zstd|skopeo|cosign|npm|npx|git|apt-get|dnf|ssh|gh|lab|sudo|prettier|qemu[\w-]*|COPY|FROM|RUN|ADD)\s[^`;,]*$/;
const ownOptions = ['--json', '--quiet', '--root', '--help'];

interface Text {
  readonly where: string;
  readonly text: string;
}

/** The literal parts of a text; what is put in at run time becomes an ellipsis. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map(({ literal }) => `…${literal.text}`)].join('');
  return undefined;
}

const told = /^(?:hint|expected|mend)$/;
const isTold = (node: ts.Node): boolean =>
  (ts.isPropertyAssignment(node.parent) && told.test(node.parent.name.getText())) ||
  (ts.isNewExpression(node.parent) && /Error$/.test(node.parent.expression.getText())) ||
  (ts.isCallExpression(node.parent) && /progress\.(?:say|warn)$/.test(node.parent.expression.getText())) ||
  ((ts.isConditionalExpression(node.parent) || ts.isParenthesizedExpression(node.parent)) && isTold(node.parent));

/** Everything that users are told to do: hints, expectations, messages and warnings. */
function tellings(): Text[] {
  const found: Text[] = [];
  const files = ['src', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(folder, name)),
  );
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      const text = textOf(node);
      if (text !== undefined && isTold(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push({ where: `${file}:${line + 1}`, text });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Every option of a command and of what lies under it (`ci plan`). */
const optionsOf = (command: Command): string[] => [
  ...command.options.map(({ long }) => long ?? ''),
  ...command.commands.flatMap(optionsOf),
];

const known = new Map<string, readonly string[]>();
beforeAll(async () => {
  for (const [name, entry] of Object.entries(commands)) {
    const command = new Command(name);
    define(command, (await entry.load()).command);
    // `--no-cache` is asked for as such, and commander keeps it as such.
    known.set(name, [...ownOptions, ...optionsOf(command)]);
  }
});

describe('what users are told to do', () => {
  const texts = tellings();

  test('there is much of it', () => {
    expect(texts.length).toBeGreaterThan(300);
    expect(texts.filter(({ text }) => text.includes('--')).length).toBeGreaterThan(20);
  });

  test('names commands that exist', () => {
    const named = texts.flatMap(({ where, text }) =>
      [...text.matchAll(/runner-image ([a-z][a-z-]*)/g)].map(([, name = '']) => ({ where, name })),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  test('names options that exist, and behind a command those of that command', () => {
    const wrong: string[] = [];
    for (const { where, text } of texts) {
      for (const match of text.matchAll(/(?<![\w-])--[a-z][\w-]*/g)) {
        const before = text.slice(0, match.index);
        if (others.test(before)) continue;
        const command = [...before.matchAll(/runner-image ([a-z][a-z-]*)[^`;,]*$/g)].at(-1)?.[1];
        const options = command === undefined ? [...known.values()].flat() : (known.get(command) ?? []);
        if (!options.includes(match[0])) wrong.push(`${where}: ${match[0]} in ${JSON.stringify(text)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
