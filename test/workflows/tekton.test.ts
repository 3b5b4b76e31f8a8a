import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
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
    readonly workspaces?: readonly { readonly name: string }[];
    readonly tasks?: readonly {
      readonly name: string;
      readonly taskRef: { readonly name: string };
      readonly params?: readonly Param[];
      readonly workspaces?: readonly { readonly name: string }[];
      readonly runAfter?: readonly string[];
    }[];
    readonly steps?: readonly { readonly image: string; readonly script: string }[];
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

  it('hands values to scripts by environment only, and stops at the first error', () => {
    for (const { spec } of tasks.values())
      for (const { script, image } of spec.steps ?? []) {
        expect(script).not.toMatch(/\$\((?:params|workspaces|results|context)/);
        expect(script).toMatch(/^#!\/bin\/bash\nset -euo pipefail\n/);
        expect(image).toBe('$(params.tools-image)');
      }
  });
});
