import { describe, expect, it } from 'vitest';
import { judgeNeeds } from '../../src/flows/ci/index.ts';

type Result = 'success' | 'failure' | 'cancelled' | 'skipped';
const jobs = ['plan', 'build', 'gate', 'publish', 'digests', 'sign', 'tags'] as const;
const release = { build: 'true', push: 'release', tag: 'true' };
const needs = (results: Partial<Record<(typeof jobs)[number] | 'check', Result>>, outputs: object = release) =>
  JSON.stringify(
    Object.fromEntries(
      [...jobs, ...(results.check === undefined ? [] : ['check' as const])].map((job) => [
        job,
        { result: results[job] ?? 'success', outputs: job === 'plan' ? outputs : {} },
      ]),
    ),
  );

describe('the required check', () => {
  it('passes when every job succeeded', () => {
    expect(judgeNeeds(needs({}))).toEqual([]);
  });

  it.each(
    jobs.flatMap((job) => (['failure', 'cancelled', 'skipped'] as const).map((result) => [job, result] as const)),
  )('fails when %s is a %s', (job, result) => {
    expect(judgeNeeds(needs({ [job]: result }))).toEqual([`${job}: ${result}, but had to be a success`]);
  });

  it('passes a fork, whose images go nowhere', () => {
    const outputs = { build: 'true', push: 'nowhere', tag: 'false' };
    const none = { digests: 'skipped', sign: 'skipped', tags: 'skipped' } as const;
    expect(judgeNeeds(needs({ publish: 'skipped', ...none }, outputs))).toEqual([]);
    expect(judgeNeeds(needs({ publish: 'success', ...none }, outputs))).toEqual([
      'publish: success, but had to be skipped',
    ]);
  });

  it('passes a pull request, whose images are pushed and expire, and are not signed', () => {
    const outputs = { build: 'true', push: 'expiring', tag: 'true' };
    expect(judgeNeeds(needs({ digests: 'skipped', sign: 'skipped' }, outputs))).toEqual([]);
    expect(judgeNeeds(needs({ digests: 'skipped' }, outputs))).toEqual(['sign: success, but had to be skipped']);
  });

  it('passes when there was nothing to build, and only tags to move', () => {
    const skipped = {
      ...({ build: 'skipped', gate: 'skipped', publish: 'skipped' } as const),
      ...({ digests: 'skipped', sign: 'skipped' } as const),
    };
    expect(judgeNeeds(needs(skipped, { build: 'false', push: 'release', tag: 'true' }))).toEqual([]);
    expect(
      judgeNeeds(needs({ ...skipped, tags: 'skipped' }, { build: 'false', push: 'expiring', tag: 'false' })),
    ).toEqual([]);
  });

  it('fails when one failure made GitHub skip all the others', () => {
    const rest = { gate: 'skipped', publish: 'skipped', digests: 'skipped', sign: 'skipped', tags: 'skipped' } as const;
    expect(judgeNeeds(needs({ build: 'failure', ...rest }))).toHaveLength(6);
  });

  it('fails when the plan says nothing, or a job was not waited for', () => {
    expect(judgeNeeds(needs({}, {})).join('\n')).toMatch(/plan: its output build/);
    expect(
      judgeNeeds('{"plan":{"result":"success","outputs":{"build":"false","push":"nowhere","tag":"false"}}}'),
    ).toEqual(jobs.slice(1).map((job) => `${job}: not among the jobs that were waited for`));
  });

  it('demands success of jobs that it does not know', () => {
    expect(judgeNeeds(needs({ check: 'skipped' }))).toEqual(['check: skipped, but had to be a success']);
  });

  it.each(['', '{', '[]', '{"plan":{"result":"fine"}}', 'null'])('refuses %j', (text) => {
    expect(() => judgeNeeds(text)).toThrow(expect.objectContaining({ code: 'ci/needs' }));
  });
});
