import { describe, expect, test } from 'vitest';
import { buildFailed } from '../../src/engines/build-error.ts';
import { BuildxProgress } from '../../src/engines/buildx-progress.ts';
import { parseBuilder } from '../../src/engines/buildx.ts';
import { StepLines } from '../../src/engines/step-lines.ts';
import { Tracker } from '../../src/engines/tracker.ts';
import { fixture, makeRequest, told } from './support.ts';

function buildx(name: string): { tracker: Tracker; final: string; events: string[] } {
  const request = makeRequest();
  const tracker = new Tracker(request.platform, request.onProgress);
  const progress = new BuildxProgress(tracker);
  for (const line of fixture('buildx@0.13.1', name).toString().split('\n')) progress.line(line);
  return { tracker, final: progress.final, events: told(request.events) };
}

describe('when buildx’s plain progress is read', () => {
  test('steps start, print and end', () => {
    expect(buildx('good.txt').events.filter((line) => line.includes('RUN cat'))).toEqual([
      'started RUN cat /copied',
      'log RUN cat /copied > x86_64',
      'done RUN cat /copied',
    ]);
  });

  test('cached steps are cached', () => {
    expect(buildx('cached.txt').events).toContain('cached RUN cat /copied');
  });

  test('a failing step keeps its output and its Dockerfile line', () => {
    const { tracker, final, events } = buildx('failing.txt');
    expect(events.some((line) => line.startsWith('error RUN echo to-out'))).toBe(true);
    const error = buildFailed(makeRequest(), 'buildx', tracker.failure(final));
    expect(error).toMatchObject({ code: 'engines/step-failed', facts: { where: { line: 12 } } });
    expect(error.facts.found).toContain('to-err');
  });

  test('the builder’s driver and platforms are found', () => {
    expect(parseBuilder(fixture('buildx@0.13.1', 'inspect.txt').toString())).toEqual({
      driver: 'docker',
      platforms: ['linux/amd64', 'linux/arm64'],
    });
  });

  test('preferred platforms are marked with a star', () => {
    expect(parseBuilder('Driver: remote\nPlatforms: linux/arm64*, linux/arm/v7\n')).toEqual({
      driver: 'remote',
      platforms: ['linux/arm64'],
    });
  });
});

function buildah(...names: string[]): { tracker: Tracker; events: string[] } {
  const request = makeRequest();
  const tracker = new Tracker(request.platform, request.onProgress);
  const steps = new StepLines(tracker);
  for (const name of names) steps.push(fixture('buildah@1.28.2', name));
  steps.end(names.some((name) => name.startsWith('failing')) ? 'exit status 3' : undefined);
  return { tracker, events: told(request.events) };
}

describe('when buildah’s output is read', () => {
  test('a step ends where the next begins, and the commit is no step’s output', () => {
    const { events } = buildah('good.txt');
    expect(events.filter((line) => line.includes('RUN cat'))).toEqual([
      'started RUN cat /copied',
      'log RUN cat /copied > x86_64',
      'done RUN cat /copied',
    ]);
    expect(events.some((line) => line.includes('COMMIT') || line.includes('Successfully'))).toBe(false);
  });

  test('cached steps are cached', () => {
    expect(buildah('cached.txt').events).toContain('cached RUN cat /copied');
  });

  test('the failing step, its output and its line are known', () => {
    const { tracker } = buildah('failing.stdout.txt', 'failing.stderr.txt');
    const error = buildFailed(makeRequest(), 'buildah', tracker.failure('exit status 3'));
    expect(error).toMatchObject({ facts: { where: { line: 12 } } });
    expect(error.facts.found).toContain('to-out');
    expect(error.facts.found).toContain('to-err');
  });
});
