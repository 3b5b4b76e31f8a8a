import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const files = [
  'attacks-signer.itg',
  'attacks-bundle.itg',
  'attacks-registry',
  'legacy.itg',
  'failures',
  'answers',
  'log',
  'rubbish',
  'keys',
  'certificate',
  'several-signers',
  'expected-source',
  '../trust/hostile-output.itg',
  '../trust/summary.itg',
  '../trust/layout.itg',
  '../workflows/caller',
  '../workflows/propose.itg',
  '../workflows/reach',
  '../workflows/release-tag',
  '../workflows/watch-identity',
];

/** Which cases a row of docs/verify.md counts, by how the row begins; a case's name is that of its groups, then its own. */
const rows: readonly (readonly [string, RegExp])[] = [
  [
    'another workflow or branch',
    /^signatures of others: (?:another workflow|another branch|a longer identity|an identity in which) /,
  ],
  ['another issuer;', /^signatures of others: (?:another issuer|a policy’s) /],
  ['the trusted workflow, called', /^signatures of others: the trusted workflow, called by /],
  ['sign.yml called', /^sign\.yml, called: (?:by .*: ends|without a token)/],
  ['a bump’s record', /^a record from the job that read the internet: |^the lock of an agent: is refused/],
  ['a change beyond', /^a line of a workflow: (?:does not|stays)|^what the privileged job may push: is, of \w+, not/],
  ['a release tag', /^release\.yml: ends at a tag/],
  ['another Fulcio,', /a certificate of another Fulcio|^keys: (?:another key|a bare key does not pass)/],
  ['certificate, payload,', /^a bundle with: (?!nothing)/],
  ['text, an empty object', /^a bundle with: nothing but /],
  ['well signed,', /^well signed, but: (?!an SBOM of another image never)/],
  ['an unsigned image', /^a tree: /],
  ['a referrer whose subject lies', /^a list of referrers: that |^a signature under the tag of another image/],
  ['a registry that swaps', /^a registry that: swaps /],
  ['a timestamp authority whose clock', /^clocks: a timestamp authority /],
  ['Rekor, Fulcio or the timestamp authority down', /^a service that is down: /],
  ['an answer of Fulcio,', /: an answer without bounds: |^patience: an answer that drips/],
  ['an answer of another form', /^an answer of another form: (?!fulcio: a certificate whose log entry)/],
  ['an entry that the log has already', /^an entry that is there already: (?!is fetched)/],
  ['no token,', /^identity tokens: |^secrets: |cannot be used, and is not shown$/],
  [
    'rubbish beside a good signature',
    /^beside a good signature [^:]*: (?!a registry that fails)|^more referrers than|^120 referrers|^cosign 2’s tag: /,
  ],
  ['the list of referrers replaced', /^the fallback tag: /],
  ['a key or a certificate of', /^a signature with a key: .* is refused before|^a certificate for an RSA key/],
  ['a certificate that', /^a certificate: (?!names its holder)/],
  ['a trust root', /^trusted roots: (?:without|made of|a root without)/],
  ['an approval that is missing', /^approvals: /],
  ['a replaced signer', /^a signer that was replaced: /],
  ['an image or an identity that the policy denies', /^what is denied: /],
  ['a policy of several signers', /^a policy of several signers: /],
  ['provenance of another source', /^the source that the provenance states: is refused: /],
  ['a layout from which', /^an image in a layout: (?:without what|a referrer whose|whose own manifest)/],
  ['a verification summary', /^a verification summary: in the name of another/],
  ['a payload type, an identity', /^verifying an image with hostile attachments: /],
  ['a signature in our name', /^what the log holds under our identity: (?:is reported|is not published|survives)/],
  ['a log that is down', /^what could not be told: (?!is a policy of keys)/],
];

/** What is no attack: the counterpart that must pass, our own carefulness, and what the rows above do not tell. */
const others = [
  /^a bundle with: nothing changed passes/,
  /^well signed, but: an SBOM of another image never gets attached by us/,
  /^a list of referrers: as cosign writes it/,
  /^a registry that: (?:takes no writes|breaks off)/,
  /^clocks: this machine’s clock/,
  /^keys: (?:a key signs|a key with a log|an RSA key|a P-384 key)/,
  /^cosign 2’s tags are written once/,
  /^beside a good signature [^:]*: a registry that fails/,
  /^what is attached by another tool/,
  /^a signature with a key: (?:.* verifies by|in a log that)/,
  /^a certificate: names its holder/,
  /^the lock of an agent: is npm’s own|^a line of a workflow: may move|^what the privileged job may push: is, of actions, a|^what the privileged job may push: is what/,
  /^release\.yml: (?:releases|gives)/,
  /^sign\.yml, called: (?:looks at its caller|by build\.yml of its own)/,
  /an answer of exactly the limit is taken/,
  /^an answer of another form: fulcio: a certificate whose log entry/,
  /^an entry that is there already: is fetched/,
  /^with a key, too,/,
  /^patience: (?!an answer that drips)/,
  /^a token with (?:a subject|an address that is verified) is used/,
  /^one pull request for each group: |^bump\.yml, as the workflow runs it: /,
  /^the source that the provenance states: (?:is the expected one|is not expected)|^--source-repository and /,
  /^an image in a layout: (?:named|with its|that is one of|is never)|^the command reads a layout/,
  /^a verification summary: (?!in the name)|^verify --vsa: /,
  /^what the log holds under our identity: (?:is nothing|is told apart)|^what could not be told: is a policy of keys/,
];

/** The array literal that `each` was called with, by name or on the spot. */
function literalOf(node: ts.Expression | undefined, source: ts.SourceFile): ts.ArrayLiteralExpression {
  if (node !== undefined && (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)))
    return literalOf(node.expression, source);
  if (node !== undefined && ts.isArrayLiteralExpression(node)) return node;
  const found: ts.Expression[] = [];
  const visit = (at: ts.Node): void => {
    if (ts.isVariableDeclaration(at) && at.initializer !== undefined && at.name.getText() === node?.getText())
      found.push(at.initializer);
    ts.forEachChild(at, visit);
  };
  visit(source);
  // Two variables of one name: which of them is meant is not known here.
  if (found.length === 1) return literalOf(found[0], source);
  throw new Error(`${source.fileName}: cannot count ${node?.getText().slice(0, 80) ?? 'nothing'}`);
}

/** The names of the cases that one call makes: each %s filled in where the value is a text. */
function namesOf(call: ts.CallExpression, source: ts.SourceFile): string[] {
  const [title] = call.arguments;
  if (title === undefined || !ts.isStringLiteralLike(title))
    throw new Error(`${source.fileName}: a case without a name`);
  if (!ts.isCallExpression(call.expression)) return [title.text];
  return literalOf(call.expression.arguments[0], source).elements.map((element) => {
    const values = [...(ts.isArrayLiteralExpression(element) ? element.elements : [element])];
    return title.text.replaceAll(/%[sj]/g, () => {
      const value = values.shift();
      return value !== undefined && ts.isStringLiteralLike(value) ? value.text : '…';
    });
  });
}

/** `test(…)` and `test.each(…)(…)`, and the same of `it` and `describe`. */
function kindOf({ expression }: ts.CallExpression): 'test' | 'describe' | undefined {
  const name = ts.isCallExpression(expression) ? expression.expression.getText() : expression.getText();
  const each = ts.isCallExpression(expression) ? '.each' : '';
  if (name === `it${each}`) return 'test';
  return (['test', 'describe'] as const).find((kind) => name === `${kind}${each}`);
}

/** casesOf returns the full name of every test case of a file, as Vitest counts them. */
function casesOf(file: string): string[] {
  const path = join(root, `test/sigstore/${file}.test.ts`);
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const kind = ts.isCallExpression(node) ? kindOf(node) : undefined;
    if (!ts.isCallExpression(node) || kind === undefined) {
      ts.forEachChild(node, (child) => {
        visit(child, groups);
      });
      return;
    }
    const names = groups.flatMap((group) => namesOf(node, source).map((name) => `${group}${name}`));
    const body = node.arguments.at(-1);
    if (kind === 'test') found.push(...names);
    else if (body !== undefined)
      visit(
        body,
        names.map((name) => `${name}: `),
      );
  };
  visit(source, ['']);
  return found;
}

const table = [
  ...readFileSync(join(root, 'docs/verify.md'), 'utf8').matchAll(/^\| ([^|]+) \| (\d+) +\| [^|]+ \|$/gm),
].map(([, attack = '', count]) => ({ attack, count: Number(count) }));

describe('the attacks that docs/verify.md lists', () => {
  const cases = files.flatMap(casesOf);

  test('every case is in one row, or is none', () => {
    const strays = cases.filter(
      (name) => [...rows.map(([, pattern]) => pattern), ...others].filter((pattern) => pattern.test(name)).length !== 1,
    );
    expect(strays).toEqual([]);
  });

  test('every row says how many cases there are', () => {
    const counted = rows.map(([begin, pattern]) => `${begin} ${cases.filter((name) => pattern.test(name)).length}`);
    const listed = rows.map(
      ([begin]) => `${begin} ${table.find(({ attack }) => attack.startsWith(begin))?.count ?? 'no row'}`,
    );
    expect(listed).toEqual(counted);
    expect(table).toHaveLength(rows.length);
  });

  test('nothing is listed that is not there any more', () => {
    const idle = [...rows.map(([, pattern]) => pattern), ...others].filter(
      (one) => !cases.some((name) => one.test(name)),
    );
    expect(idle).toEqual([]);
  });
});
