import { describe, expect, it } from 'vitest';
import type { PictureOf } from '../support/picture.ts';
import { both, replacing, withEnv, withLabel, without, withoutLabel, withPath } from './edit.ts';
import { check, contract, derived, mcp, openshell, short, standard } from './good.ts';

type Edit = (image: PictureOf) => PictureOf;
const config = '/sandbox/.mcp.json';
const settings = '/sandbox/.claude/settings.json';
const server = '/sandbox/.venv/bin/mcp-atlassian';

/** What a session of the gateway finds in the image, one thing broken each. */
const rows: readonly (readonly [what: string, edit: Edit, findings: readonly string[]])[] = [
  ['a server that is not installed', without(server), [`mcp-command ${config} atlassian`]],
  ['a server without x', withPath(server, { mode: 0o644 }), [`mcp-command ${config} atlassian`]],
  ['a server of root alone', withPath(server, { mode: 0o700 }), [`mcp-command ${config} atlassian`]],
  [
    'a server in a folder of root alone',
    both(
      replacing('/root/tools/fetch', { mode: 0o755 }),
      replacing('/root', { type: 'directory', mode: 0o550 }),
      withPath(config, { content: mcp('/root/tools/fetch') }),
    ),
    [`mcp-command ${config} atlassian`],
  ],
  [
    'a server whose interpreter is absent',
    withPath(server, { content: '#!/usr/bin/pypy\n' }),
    [`mcp-command ${config} atlassian`],
  ],
  [
    'a configuration that is no JSON',
    withPath(config, { content: '{' }),
    [`mcp-command ${config}`, `mcp-enabled ${settings} atlassian`],
  ],
  [
    'servers of another shape',
    withPath(config, { content: '{"mcpServers":[]}' }),
    [`mcp-command ${config}`, `mcp-enabled ${settings} atlassian`],
  ],
  [
    'a configuration that is a link',
    replacing(config, { link: settings }),
    [`mcp-command ${config}`, `mcp-enabled ${settings} atlassian`],
  ],
  [
    'a server of one project in .claude.json',
    replacing('/sandbox/.claude.json', {
      content: '{"projects":{"/sandbox":{"mcpServers":{"x":{"command":"gone"}}}}}',
    }),
    ['mcp-command /sandbox/.claude.json x'],
  ],
  [
    'settings that enable another server',
    withPath(settings, { content: '{"enabledMcpjsonServers":["jira"]}' }),
    [`mcp-enabled ${settings} jira`],
  ],
  ['settings that are no settings', withPath(settings, { content: '[]' }), [`mcp-enabled ${settings}`]],
  ['no tar for the volume', without('/usr/bin/tar'), ['required-path /usr/bin/tar']],
  ['no folder for the log', without('/sandbox/.runner'), ['required-path /sandbox/.runner/logs']],
  [
    'an entrypoint for group 0 alone',
    withPath('/runner/entrypoint.sh', { mode: 0o750 }),
    ['runtime-access /runner/entrypoint.sh', 'any-group /runner/entrypoint.sh'],
  ],
  [
    'a variable of the newer control plane',
    withEnv({ STOP_ON_RUN_FINISHED: 'true' }),
    ['env-forbidden STOP_ON_RUN_FINISHED'],
  ],
];

describe("a session's files", () => {
  it.each(rows)('%s: exactly its finding', (_, edit, findings) => {
    expect(short(check(edit(openshell()), 'openshell')).sort()).toEqual([...findings].sort());
  });

  it('a command that only a session knows is undecided, and never green without a word', () => {
    const { findings, summary } = check(
      withPath(config, { content: mcp('${TOOLS}/server') })(openshell()),
      'openshell',
    );
    expect(findings.filter(({ rule }) => rule === 'contract/mcp-command')).toEqual([]);
    expect(summary.undecided.map(({ rule }) => rule)).toEqual(['contract/mcp-command']);
  });

  it("the runner's own configuration counts where the runner reads it", () => {
    const upstream = '/root/.local/share/uv/tools/mcp-server-fetch/bin/mcp-server-fetch';
    const broken = replacing('/app/ambient-runner/.mcp.json', { content: mcp(upstream) })(standard());
    expect(short(check(broken, 'standard'))).toEqual(['mcp-command /app/ambient-runner/.mcp.json atlassian']);
  });

  it('writing is not asked of a user outside group 0, whose home is a volume', () => {
    expect(short(check(withPath('/sandbox', { mode: 0o775 })(openshell()), 'openshell'))).toEqual([]);
  });

  it('the standard image runs in group 0: what others may read is not asked there', () => {
    const closed = withPath('/app/standard-claude-wrapper.sh', { mode: 0o770 })(standard());
    expect(short(check(closed, 'standard'))).toEqual([]);
  });
});

describe("the labels of Red Hat's preflight", () => {
  const names = ['name', 'vendor', 'version', 'release', 'summary', 'description', 'maintainer'];
  it.each(names)('%s: absent or empty is an error, in published and derived images', (name) => {
    const expected = [`label-required ${name}`];
    expect(short(check(withoutLabel(name)(standard()), 'standard'))).toEqual(expected);
    expect(short(check(withLabel(name, ' ')(openshell()), 'openshell'))).toEqual(expected);
    expect(short(check(withLabel(name, '')(derived()), 'custom'))).toEqual(expected);
  });
});

it('no variable of the control plane stands in the list twice', () => {
  expect(contract.forbiddenEnv).toHaveLength(new Set(contract.forbiddenEnv).size);
  expect(contract.forbiddenEnv).toHaveLength(27);
});
