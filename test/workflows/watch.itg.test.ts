import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { watchUpstreams } from '../../src/flows/ci/index.ts';
import { ghRelease, stage, type Stage } from '../bump/stage.ts';
import { root as project } from '../dockerfile/definitions.ts';
import { bothPythons, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { stepsOf, workflowFiles } from './files.ts';

/** Every upstream of the pins answers but those of actions, whose repositories are not staged: nobody is asked. */
const actions = /^action-/;
const about = (list: readonly { readonly subject: string }[]) =>
  list.map(({ subject }) => subject).filter((subject) => !actions.test(subject));

async function quiet(): Promise<Stage> {
  const it = await stage();
  it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
  const nowhere = `file://${join(it.root, '../nowhere')}/`;
  const urls = { ...it.mirrors.urls, 'https://github.com/actions/': nowhere, 'https://github.com/github/': nowhere };
  return { ...it, mirrors: { ...it.mirrors, urls } };
}

describe('the daily watch over upstreams', () => {
  it('tells apart what is gone, what has other bytes, and what could not be told', async () => {
    const it = await quiet();
    const calm = await watchUpstreams(it.host, it.root, it.mirrors);
    expect([about(calm.concerns), about(calm.unknown)]).toEqual([[], []]);
    it.registry.store.repository('astral-sh/uv').tags.clear();
    publishIndex(it.registry, 'nvidia/openshell/supervisor', '0.0.83', 'evil');
    it.github.misbehave = (_request, response) => {
      response.writeHead(401).end();
      return true;
    };
    const { concerns, unknown } = await watchUpstreams(it.host, it.root, it.mirrors);
    expect(concerns.map(({ rule, subject }) => [rule, subject])).toEqual([
      ['pins/gone', 'uv'],
      ['pins/other-bytes', 'supervisor'],
    ]);
    expect(about(unknown)).toEqual(['gh', 'python']);
  });

  it('is red when it could not tell, with the step of verify-pins.yml', { timeout: 120_000 }, async () => {
    const it = await quiet();
    it.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]);
    it.github.raw.clear();
    const mirrors = join(it.root, '../mirrors.yaml');
    writeFileSync(mirrors, JSON.stringify(it.mirrors));
    const summary = join(it.root, '../summary.md');
    writeFileSync(summary, '');
    const file = workflowFiles.find((one) => one.file.endsWith('/verify-pins.yml'));
    const script = (file === undefined ? [] : stepsOf(file)).flatMap(({ run }) => run ?? [])[0] ?? 'exit 99';
    const text = script.replace('bin/runner-image.mjs', `${project}/bin/runner-image.mjs`);
    // Without npm's configuration npm would ask the whole internet, and retry.
    const tools = join(it.root, '../tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'npm'), '#!/bin/sh\necho "npm error code E500" >&2\nexit 1\n', { mode: 0o755 });
    const env = {
      PATH: `${tools}:${process.env['PATH'] ?? ''}`,
      HOME: join(it.root, '..'),
      GITHUB_STEP_SUMMARY: summary,
    };
    const code = await new Promise((resolve) => {
      const args = ['-c', `${text} --root ${it.root} --mirrors ${mirrors} --dry-run`];
      execFile('bash', args, { env }, (error) => {
        resolve(error === null ? 0 : error.code);
      });
    });
    expect(code).toBe(3);
    expect(readFileSync(summary, 'utf8')).toMatch(/pins\/other-bytes \| gh[^]*Unknown[^]*python/);
  });
});
