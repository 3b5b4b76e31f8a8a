import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { commands } from '../../scripts/commands.ts';
import { platforms } from '../../src/core/index.ts';
import { committed, root } from '../dockerfile/definitions.ts';

interface Param {
  readonly name: string;
  readonly value?: unknown;
  readonly default?: unknown;
}
interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly params?: readonly Param[];
    readonly workspaces?: readonly { readonly name: string; readonly readOnly?: boolean }[];
    readonly tasks?: readonly {
      readonly name: string;
      readonly taskRef: { readonly name: string };
      readonly params?: readonly Param[];
      readonly workspaces?: readonly { readonly name: string; readonly workspace: string; readonly subPath?: string }[];
      readonly runAfter?: readonly string[];
    }[];
    readonly steps?: readonly {
      readonly image: string;
      readonly script: string;
      readonly workingDir?: string;
      readonly securityContext?: { readonly runAsUser?: number };
    }[];
    readonly pipelineRef?: { readonly name: string };
    readonly taskRunSpecs?: readonly {
      readonly pipelineTaskName: string;
      readonly podTemplate: { readonly nodeSelector: Record<string, string> };
    }[];
  };
}

const folder = join(root, '.tekton');
const texts = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
const resources = texts.flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as Resource));
const named = (kind: string): Map<string, Resource> =>
  new Map(resources.filter((found) => found.kind === kind).map((found) => [found.metadata.name, found]));
const [tasks, pipeline, run] = [
  named('Task'),
  [...named('Pipeline').values()][0]?.spec ?? {},
  [...named('PipelineRun').values()][0]?.spec ?? {},
];
const names = (list: readonly { readonly name: string }[] = []) => list.map(({ name }) => name).sort();

function lint(edit: (name: string, text: string) => string = (_name, text) => text): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tekton-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of texts) writeFileSync(join(directory, name), edit(name, text));
  const main = createRequire(import.meta.url).resolve('@ibm/tekton-lint');
  const args = [join(dirname(main), 'lint.js'), '--format', 'json', '--config', directory, `${directory}/*.yaml`];
  const env = { ...process.env, TL_CACHE_DIR: join(directory, 'cache'), NODE_ENV: 'test' };
  const found = JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }) || '[]') as unknown;
  return (found as { message: string }[]).map(({ message }) => message);
}

describe('the Tekton pipeline', { timeout: 60_000 }, () => {
  it('passes tekton-lint, which finds a misspelt parameter', () => {
    expect(lint()).toEqual([]);
    expect(
      lint((name, text) => (name === 'pipeline.yaml' ? text.replace('$(params.variant)', '$(params.varian)') : text)),
    ).not.toEqual([]);
  });

  it('is of the stable API, without anchors, which a cluster does not read across documents', () => {
    expect(new Set(resources.map(({ apiVersion }) => apiVersion))).toEqual(new Set(['tekton.dev/v1']));
    expect(texts.filter(([, text]) => /: [&*]\w/.test(text)).map(([name]) => name)).toEqual([]);
  });

  it('gives every task the parameters and workspaces that it declares, no others', () => {
    expect(pipeline.tasks?.length).toBeGreaterThan(3);
    for (const { name, taskRef, params, workspaces } of pipeline.tasks ?? []) {
      const task = tasks.get(taskRef.name)?.spec;
      expect([names(params), names(workspaces)], name).toEqual([names(task?.params), names(task?.workspaces)]);
    }
    const needed = (pipeline.params ?? []).filter((param) => param.default === undefined);
    expect(names(run.params)).toEqual(names(needed));
    expect(names(run.workspaces)).toEqual(names(pipeline.workspaces));
    expect(run.pipelineRef?.name).toBe([...named('Pipeline').keys()][0]);
  });

  it('builds each platform of the images on a node of its own architecture', () => {
    const nodes = (run.taskRunSpecs ?? []).map(({ pipelineTaskName, podTemplate }) => [
      pipelineTaskName,
      podTemplate.nodeSelector['kubernetes.io/arch'],
    ]);
    expect(nodes).toEqual(platforms.map((platform) => [`build-${platform.slice(6)}`, platform.slice(6)]));
    const builds = (pipeline.tasks ?? []).filter(({ taskRef }) => taskRef.name === 'runner-image-build');
    expect(
      builds.map(({ name, params }) => [name, params?.find((param) => param.name === 'architecture')?.value]),
    ).toEqual(nodes);
    for (const image of committed.images) expect(image.platforms).toEqual([...platforms]);
  });

  it('pushes after the gate, which waits for every platform', () => {
    const after = Object.fromEntries((pipeline.tasks ?? []).map(({ name, runAfter }) => [name, runAfter]));
    expect(after).toMatchObject({ gate: ['build-amd64', 'build-arm64'], index: ['gate'] });
  });

  /** Folders of the shared workspace that a task of the pipeline mounts, and whether it may write there. */
  const foldersOf = (name: string) => {
    const task = pipeline.tasks?.find((one) => one.name === name);
    const declared = tasks.get(task?.taskRef.name ?? '')?.spec.workspaces ?? [];
    return (task?.workspaces ?? [])
      .filter(({ workspace }) => workspace === 'work')
      .map((bound) => ({
        folder: bound.subPath,
        writes: declared.find((one) => one.name === bound.name)?.readOnly !== true,
      }));
  };

  it('shares no folder that root wrote with a task that pushes, and no code with any', () => {
    const names_ = (pipeline.tasks ?? []).map(({ name }) => name);
    const writers = names_.map((name) => [
      name,
      foldersOf(name).flatMap(({ folder, writes }) => (writes ? folder : [])),
    ]);
    // Each folder has one task that may write it; none mounts the whole workspace.
    expect(Object.fromEntries(writers)).toEqual({
      ...{ plan: ['plan'], 'build-amd64': ['amd64'], 'build-arm64': ['arm64'], gate: ['gated'], index: [] },
    });
    expect(foldersOf('index').map(({ folder }) => folder)).toEqual(['plan', 'gated']);
    const roots = [...tasks].filter(([, { spec }]) =>
      spec.steps?.some(({ securityContext }) => securityContext?.runAsUser === 0),
    );
    expect(roots.map(([name]) => name)).toEqual(['runner-image-build']);
    for (const { spec } of tasks.values())
      for (const { script, workingDir } of spec.steps ?? []) {
        expect(workingDir).toBe('/source');
        expect(script).toContain('git -C project checkout --quiet --detach "$REVISION"');
      }
  });

  it('pushes by the gate’s evidence, the digest that the gate reported, and skips no gate', () => {
    const all = texts.map(([, text]) => text).join('\n');
    expect(all).not.toMatch(/--skip-gate|--without-gate/);
    const index = pipeline.tasks?.find(({ name }) => name === 'index');
    expect(index?.params?.find(({ name }) => name === 'digest')?.value).toBe('$(tasks.gate.results.digest)');
    const scriptOf = (name: string) => tasks.get(name)?.spec.steps?.[0]?.script ?? '';
    expect(scriptOf('runner-image-build')).toMatch(/check .* --run \\\n +--evidence/);
    expect(scriptOf('runner-image-gate')).toMatch(/publish .* --dry-run --recorded-runs/);
    const push = scriptOf('runner-image-index');
    expect(push).toMatch(/publish [^]* --evidence \.\.\/evidence\.json/);
    const [compares, pushes] = ['if [ "$found" != "$DIGEST" ]', 'runner-image.mjs publish'].map((text) =>
      push.indexOf(text),
    );
    expect(compares).toBeGreaterThan(0);
    expect(compares).toBeLessThan(pushes ?? 0);
  });

  it('calls only commands and options that exist', async () => {
    const scripts = [...tasks.values()].flatMap(({ spec }) => (spec.steps ?? []).map(({ script }) => script));
    const calls = scripts.flatMap((script) =>
      [...script.replaceAll('\\\n', ' ').matchAll(/bin\/runner-image\.mjs (.*)/g)].map(([, rest]) => rest ?? ''),
    );
    expect(calls).toHaveLength(8);
    for (const call of calls) {
      const [name = '', ...words] = call.split(/\s+/);
      const parser = new Command().option('--json');
      const module = (await commands[name]?.load())?.command;
      module?.define(parser);
      const subcommand = module?.subcommands?.[words[0] ?? ''];
      expect(subcommand !== undefined || module?.run !== undefined, call).toBe(true);
      subcommand?.define?.(parser);
      const known = parser.options.map(({ long }) => long);
      for (const option of words.join(' ').match(/--[a-z-]+/g) ?? []) expect(known, call).toContain(option);
    }
  });

  it('hands values to scripts by environment only, and stops at the first error', () => {
    for (const { spec } of tasks.values())
      for (const { script, image } of spec.steps ?? []) {
        expect(script).not.toMatch(/\$\((?:params|workspaces|results|context)/);
        expect(script).toMatch(/^#!\/bin\/bash\nset -euo pipefail\n/);
        expect(image).toBe('$(params.tools-image)');
      }
  });
});
