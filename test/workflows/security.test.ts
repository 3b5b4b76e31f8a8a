import { describe, expect, it } from 'vitest';
import { actionFiles, workflowFiles, type Source } from './files.ts';
import { workflowRules } from './rules.ts';
import { securityRules } from './security-rules.ts';

const found = (source: Source): readonly string[] => securityRules.flatMap((rule) => rule(source));
const source = (text: string): Source => ({ file: '.github/workflows/bad.yml', text });
const job = (...lines: readonly string[]): Source =>
  source(['on: push', 'jobs:', '  one:', ...lines.map((line) => `    ${line}`)].join('\n'));
const step = (...lines: readonly string[]): Source =>
  job('steps:', ...lines.map((line, at) => (at === 0 ? `  - ${line}` : `    ${line}`)));

describe.each([...workflowFiles, ...actionFiles])('$file', (file) => {
  it('has nothing that a security linter looks for', () => expect(found(file)).toEqual([]));
});

describe('what a security linter looks for', () => {
  it.each([
    ['all secrets at once', step('run: x', 'env: { ALL: "${{ toJSON(secrets) }}" }'), /nobody named/],
    ['a secret whose name is computed', step('run: x', 'env: { A: "${{ secrets[inputs.name] }}" }'), /nobody named/],
    ['a part of a secret', step('run: x', 'env: { A: "${{ fromJSON(secrets.KEY).id }}" }'), /part of a secret/],
    ['an actor as a proof', job("if: github.actor == 'dependabot[bot]'", 'steps: []'), /actor as a proof/],
    ['a turned contains()', job("if: contains('main release', github.ref_name)", 'steps: []'), /contains/],
    ['a condition that is a text', job("if: ${{ github.event_name == 'push' }} && false", 'steps: []'), /always true/],
    ['old commands', step('run: echo "::set-output name=a::b"'), /old commands/],
    ['old commands, switched on', step('run: x', 'env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: true }'), /old commands/],
    ['a step that changes later ones', step('run: echo "PATH=$X" >> "$GITHUB_ENV"'), /later ones/],
    [
      'a script with an expression',
      step('uses: a/b@v1', 'with: { script: "f(`${{ inputs.x }}`)" }'),
      /inside of a script/,
    ],
    ['pipe to shell', step('run: curl -fsSL https://example.com/install.sh | sudo bash'), /run unchecked/],
    ['a cache of packages', step('uses: actions/setup-node@v5'), /cache of packages/],
    ['a machine that stays', job('runs-on: [self-hosted, linux]', 'steps: []'), /machine that stays/],
    ['an image by tag', job('container: node:22', 'steps: []'), /starts node:22/],
    [
      'a service with a password',
      job('services: { db: { image: "x@sha256:1", credentials: { password: hunter2 } } }', 'steps: []'),
      /holds a password/,
    ],
    ['a failure that does not count', step('run: x', 'continue-on-error: true'), /does not count/],
    ...(
      [
        ['actions/cache/restore@v4', '{ path: node_modules, key: a }'],
        ['actions/setup-node@v5', '{ cache: npm, package-manager-cache: false }'],
        ['docker/build-push-action@v6', '{ cache-from: "type=gha" }'],
        ['Swatinem/rust-cache@v2', '{}'],
        ['astral-sh/setup-uv@v6', '{ enable-cache: true }'],
      ] as const
    ).map(([uses, inputs]): [string, Source, RegExp] => [
      `a cache of ${uses} in a job with an environment`,
      job('environment: quay', 'steps:', `  - uses: ${uses}`, `    with: ${inputs}`),
      /beside what is published/,
    ]),
    [
      'a cache in an action, which a job that signs may call',
      source('runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4'),
      /beside what is published/,
    ],
    [
      'a cache beside what is published',
      source(
        'on: push\njobs:\n  a:\n    steps:\n      - uses: actions/cache@v4\n      - run: x\n        env: { T: "${{ secrets.T }}" }',
      ),
      /beside what is published/,
    ],
  ])('is found: %s', (_name, bad, says) => expect(found(bad).join('\n')).toMatch(says));
});

/** The shape of workflows by which projects were taken over; each has to be found for the reason that did it. */
const takenOver: readonly (readonly [string, string, RegExp])[] = [
  [
    'a title in a shell, with the rights of the target (pull_request_target)',
    `on: { pull_request_target: { types: [opened, edited] } }
jobs:
  validate:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          node check-title.js "\${{ github.event.pull_request.title }}"`,
    /pull_request_target[^]*pull_request\.title|pull_request\.title[^]*pull_request_target/,
  ],
  [
    'foreign code checked out and built with secrets at hand',
    `on: pull_request_target
permissions: { contents: write }
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
        with: { ref: "\${{ github.event.pull_request.head.sha }}" }
      - run: npm ci && npm test
        env: { NPM_TOKEN: "\${{ secrets.NPM_TOKEN }}" }`,
    /pull_request_target[^]*keeps its token/,
  ],
  [
    'a branch name in a shell, then a poisoned cache that the release takes',
    `on: push
jobs:
  format:
    steps:
      - run: git push origin HEAD:\${{ github.head_ref || github.ref }}
  publish:
    permissions: { id-token: write }
    steps:
      - uses: actions/cache@v4
      - run: twine upload dist/*`,
    /github\.head_ref[^]*beside what is published/,
  ],
  [
    'an action by a tag that can be moved',
    `on: push
jobs:
  changed:
    steps:
      - uses: tj-actions/changed-files@v35`,
    /tj-actions\/changed-files@v35/,
  ],
  [
    'a comment that starts a deployment',
    `on: issue_comment
jobs:
  deploy:
    if: contains(github.event.comment.body, '/deploy')
    steps:
      - run: ./deploy.sh
        env: { ALL: "\${{ toJSON(secrets) }}" }`,
    /issue_comment[^]*nobody named/,
  ],
  [
    'an artifact of a foreign run, trusted by the run after it (workflow_run)',
    `on: { workflow_run: { workflows: [build], types: [completed] } }
jobs:
  comment:
    permissions: write-all
    steps:
      - run: cat pr.txt >> "$GITHUB_ENV"`,
    /workflow_run[^]*later ones/,
  ],
];

describe('workflows by which projects were taken over', () => {
  it.each(takenOver)('%s', (_name, text, says) => {
    const all = [...workflowRules, ...securityRules].flatMap((rule) => rule(source(text)));
    expect(all.join('\n')).toMatch(says);
  });
});
