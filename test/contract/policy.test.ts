import { describe, expect, it } from 'vitest';
import type { PathOf } from '../support/picture.ts';
import { both, replacing, withPath } from './edit.ts';
import { check, openshell, policy, problems, short, standard } from './good.ts';

const python = '/usr/bin/python3.12';
const sound = policy(python);

/** The findings about the policy of a standard image whose policy.yaml is `text`. */
const about = (text: string, ...paths: [string, PathOf][]) =>
  problems(
    check(
      both(
        withPath('/etc/openshell/policy.yaml', { content: text }),
        ...paths.map(([path, of]) => replacing(path, of)),
      )(standard()),
      'standard',
    ),
  );
const said = (text: string, ...paths: [string, PathOf][]) =>
  about(text, ...paths).map(({ rule, subject }) => `${rule.replace('contract/policy-', '')} ${subject}`);

const entry = (body: string): string => `${sound}  extra:\n${body}`;
const allowing = (path: string): string =>
  entry(`    endpoints: [{ host: a.example, port: 443 }]\n    binaries: [{ path: "${path}" }]\n`);

describe('the keys of a policy', () => {
  it('misspelt at the top are named with the one that is meant', () => {
    const [finding, ...more] = about(sound.replace('network_policies:', 'network_policy:'));
    expect([finding?.subject, finding?.severity, more]).toEqual(['network_policy', 'error', []]);
    expect(finding?.message).toContain('network_policies is meant');
  });
  it('misspelt deep inside are named by their path', () => {
    expect(said(sound.replace('enforcement:', 'enforcment:'))).toEqual([
      'unknown-key network_policies.packages.endpoints.0.enforcment',
    ]);
  });
  it('that policy.rego does not read are as good as misspelt', () => {
    const rego = {
      content:
        'package openshell.sandbox\n# data.landlock\nfilesystem_policy := data.filesystem_policy\nx := data.process\ny := data["network_policies"]\n',
    };
    expect(said(sound, ['/etc/openshell/policy.rego', rego])).toEqual(['unknown-key landlock']);
  });
  it('with wrong values, twice, or in broken YAML are errors of form', () => {
    expect(said(sound.replace('port: 443', 'port: 70000'))).toEqual([
      'shape network_policies.packages.endpoints.0.port',
    ]);
    expect(said(sound.replace('best_effort', 'hard'))).toEqual(['shape landlock.compatibility']);
    expect(said(`${sound}version: 1\n`)).toEqual(['shape policy.yaml']);
    expect(said('version: [1\n')).toContain('shape policy.yaml');
  });
  it('are located by line when the policy is a file of the project', () => {
    const text = sound.replace('landlock:', 'landlok:');
    const { findings } = check(standard(), 'standard', {
      policy: { text, origin: { $case: 'file', file: 'policy.yaml' } },
    });
    expect(findings[0]?.location).toEqual({ $case: 'file', file: 'policy.yaml', line: 6, column: 1 });
  });
});

describe('binaries of a policy', () => {
  it.each<[string, string, [string, PathOf][], RegExp]>([
    ['that is missing', '/usr/bin/none', [], /\/usr\/bin\/none does not exist in the image/],
    ['that is a link', '/usr/bin/python3', [], /through a link: \/proc\/<pid>\/exe shows \/usr\/bin\/python3\.12/],
    ['below a linked directory', '/bin/bash', [], /shows \/usr\/bin\/bash/],
    [
      'that is a shell script',
      '/usr/local/bin/wrap',
      [['/usr/local/bin/wrap', { mode: 0o755, content: '#!/bin/bash -e\n' }]],
      /is a script \(#!\/bin\/bash -e\): \/proc\/<pid>\/exe shows \/usr\/bin\/bash/,
    ],
    [
      'that env starts',
      '/usr/local/bin/run',
      [['/usr/local/bin/run', { mode: 0o755, content: '#!/usr/bin/env -S A=1 python3 -u\n' }]],
      /exe shows \/usr\/bin\/python3\.12/,
    ],
    [
      'that is a script too large to keep',
      '/opt/x/main.js',
      [['/opt/x/main.js', { mode: 0o755, size: 9e6 }]],
      /is a script: \/proc\/<pid>\/exe shows its interpreter/,
    ],
    [
      'that is a script of a script',
      '/opt/b',
      [
        ['/opt/b', { mode: 0o755, content: '#!/opt/bin/a\n' }],
        ['/opt/bin/a', { mode: 0o755, content: '#!/bin/bash\n' }],
      ],
      /exe shows \/usr\/bin\/bash/,
    ],
    ['that is not executable', '/opt/data', [['/opt/data', {}]], /cannot be executed: it has no x bit/],
    ['that is a directory', '/usr/local', [], /it is a directory/],
    ['by a glob that matches nothing', '/opt/*/none', [], /matches nothing/],
    [
      'by a glob that matches links alone',
      '/usr/bin/python?',
      [],
      /none of the 1 paths .*python3: it is reached through a link/,
    ],
  ])('%s never match', (_, path, paths, why) => {
    const found = about(allowing(path), ...paths);
    expect(found.map(({ rule, subject }) => [rule, subject])).toEqual([['contract/policy-binary', path]]);
    expect(found[0]?.message).toMatch(why);
  });
  it('by a glob need one real executable among what it matches', () => {
    expect(said(allowing('/usr/bin/python3*'))).toEqual([]);
  });
});

describe('paths and identities of a policy', () => {
  it('that are not in the image are left out by the supervisor, or keep it from starting', () => {
    const missing = sound.replace('read_write: [', 'read_write: [/data, ');
    expect(about(missing).map(({ severity, subject }) => [severity, subject])).toEqual([['warning', '/data']]);
    const strict = missing.replace('best_effort', 'hard_requirement');
    expect(about(strict).map(({ severity, subject }) => [severity, subject])).toEqual([['error', '/data']]);
  });
  it.each(['/', '/usr/../etc'])('may not be %s', (path) => {
    expect(
      about(sound.replace('read_write: [', `read_write: [${path}, `)).map(({ severity, subject }) => [
        severity,
        subject,
      ]),
    ).toEqual([['error', path]]);
  });
  it.each([
    ['run_as_user: root', 'process.run_as_user'],
    ['run_as_user: ghost', 'process.run_as_user'],
    ['run_as_user: 0', 'process.run_as_user'],
  ])('refuse %s', (line, subject) => {
    expect(said(sound.replace('run_as_user: sandbox', line))).toEqual([`identity ${subject}`]);
  });
  it('refuse a group of root', () => {
    expect(said(sound.replace('run_as_group: sandbox', 'run_as_group: root'))).toEqual([
      'identity process.run_as_group',
    ]);
  });
});

describe('entries of a policy that nobody can use', () => {
  const gh = '    binaries: [{ path: /usr/local/bin/gh }]\n';
  it.each([
    ['has no endpoint', gh, /no endpoint/],
    ['has no binary', '    endpoints: [{ host: a.example, port: 443 }]\n', /no binary that may use them/],
    ['has no port', `    endpoints: [{ host: a.example }]\n${gh}`, /no port/],
    [
      'has no rule',
      `    endpoints: [{ host: a.example, port: 1, protocol: rest, rules: [] }]\n${gh}`,
      /empty list of rules/,
    ],
    [
      'is covered by another',
      `    endpoints: [{ host: PyPI.org, port: 443, protocol: rest, enforcement: enforce, access: read-only }]\n${gh}`,
      /packages allows all of it already/,
    ],
    [
      'is denied again',
      `    endpoints: [{ host: a.example, port: 1, protocol: rest, rules: [{ allow: { method: GET, path: /x } }], deny_rules: [{ method: "*", path: "/**" }] }]\n${gh}`,
      /taken back by a deny rule/,
    ],
  ])('because it %s', (_, body, why) => {
    const found = about(entry(body));
    expect(found.map(({ rule, subject }) => [rule, subject])).toEqual([['contract/policy-unusable', 'extra']]);
    expect(found[0]?.message).toMatch(why);
  });
  it.each([
    [
      'wants more',
      `    endpoints: [{ host: pypi.org, port: 443, protocol: rest, enforcement: enforce, access: full }]\n${gh}`,
    ],
    ['wants another port', `    endpoints: [{ host: pypi.org, port: 80 }]\n${gh}`],
    [
      'is of another binary',
      '    endpoints: [{ host: pypi.org, port: 443, protocol: rest, enforcement: enforce, access: read-only }]\n    binaries: [{ path: /usr/bin/bash }]\n',
    ],
  ])('unless it %s', (_, body) => {
    // The one that wants more covers the first: then that one is superfluous, and not this.
    expect(about(entry(body)).map(({ subject }) => subject)).not.toContain('extra');
  });
});

describe('a policy that is required', () => {
  it('and whose content was not kept is an error, never taken for sound', () => {
    const image = replacing('/etc/openshell/policy.yaml', { size: 50_000_000 })(openshell());
    expect(short(check(image, 'openshell'))).toEqual(['policy-shape /etc/openshell/policy.yaml']);
  });
});
