import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileIssue, identityIssue, watchConcerns, type Concern } from '../../src/flows/ci/index.ts';
import { readAll } from '../support/registries/memory-http.ts';
import { fakeHost } from '../support/fake-host.ts';
import { workTree } from './stage.ts';

const concern = (message = 'over'): Concern => ({ rule: 'watch/waiver', subject: 'contract/x User', message });

describe('the daily watch', () => {
  it('finds nothing in the committed state of a quiet day', async () => {
    expect(await watchConcerns(fakeHost(), await workTree())).toEqual([]);
  });

  it('tells of a waiver a month before its last day, and when that day is over', async () => {
    const root = await workTree();
    const on = async (day: string) =>
      (await watchConcerns(fakeHost({ now: new Date(day) }), root)).map(({ message }) => message);
    expect(await on('2027-04-30T23:00:00Z')).toEqual([]);
    expect(await on('2027-05-30T12:00:00Z')).toEqual([expect.stringContaining('2 more days')]);
    expect(await on('2027-06-01T00:00:00Z')).toEqual([expect.stringContaining('held until 2027-05-31')]);
  });

  it('finds a generated file that somebody edited', async () => {
    const root = await workTree();
    const dockerfile = join(root, 'images/standard/Dockerfile.standard');
    await writeFile(dockerfile, `${await readFile(dockerfile, 'utf8')}RUN true\n`);
    expect(await watchConcerns(fakeHost(), root)).toMatchObject([
      {
        rule: 'watch/generated',
        subject: 'images/standard/Dockerfile.standard',
        message: expect.stringContaining('changed') as unknown,
      },
    ]);
  });
});

describe('the issue of the watch', () => {
  interface Issue {
    number: number;
    state: string;
    title: string;
    body: string;
    labels: string[];
  }
  let list: Issue[];
  let log: string[];
  let status = 200;
  const server = createServer((request, response) => {
    void (async () => {
      const body = (await readAll(request)).toString();
      const sent = body === '' ? {} : (JSON.parse(body) as Partial<Issue>);
      log.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      const number = Number(/\/issues\/(\d+)$/.exec(request.url ?? '')?.[1]);
      const label = new URL(request.url ?? '', 'http://x').searchParams.get('labels') ?? '';
      let answer: unknown = list.filter(({ state, labels }) => state === 'open' && labels.includes(label));
      if (request.method === 'POST') {
        const issue: Issue = { number: list.length + 1, state: 'open', title: '', body: '', labels: [], ...sent };
        list.push(issue);
        answer = issue;
      } else if (request.method === 'PATCH') {
        const issue = list.find((one) => one.number === number);
        answer = issue === undefined ? undefined : Object.assign(issue, sent);
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })();
  });
  beforeEach(async () => {
    [list, log, status] = [[], [], 200];
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));
  const host = () =>
    fakeHost({
      env: {
        GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        GITHUB_REPOSITORY: 'team/images',
        GITHUB_TOKEN: 'ghs_secret',
      },
    });

  it('is opened once, brought up to date in place, left alone when nothing changed, and closed in the end', async () => {
    expect(await fileIssue(host(), [])).toEqual({ $case: 'none' });
    expect(await fileIssue(host(), [concern()])).toEqual({ $case: 'opened', number: 1 });
    expect(await fileIssue(host(), [concern()])).toEqual({ $case: 'unchanged', number: 1 });
    expect(await fileIssue(host(), [concern('other')])).toEqual({ $case: 'updated', number: 1 });
    expect(list).toMatchObject([{ labels: ['pins-watch'], body: expect.stringContaining('other') as unknown }]);
    expect(await fileIssue(host(), [])).toEqual({ $case: 'closed', number: 1 });
    expect(await fileIssue(host(), [])).toEqual({ $case: 'none' });
    expect(list).toMatchObject([{ state: 'closed' }]);
    expect(log.every((line) => line.includes('/repos/team/images/issues') && line.endsWith('Bearer ghs_secret'))).toBe(
      true,
    );
  });

  it('of another watch has a label and a title of its own, and leaves this one alone', async () => {
    await fileIssue(host(), [concern()]);
    log.length = 0;
    await fileIssue(host(), [concern('theirs')], [], identityIssue);
    expect(log[0]).toContain('labels=identity-watch');
    expect(list.at(-1)).toMatchObject({ labels: ['identity-watch'], title: identityIssue.title });
    expect(list.at(-1)?.body).toMatch(/watch-identity\.yml.*not watched: Rekor v2/);
  });

  it('is not closed, and not opened either, by what could not be told', async () => {
    const unknown = [{ rule: 'pins/could-not-tell', subject: 'uv', message: 'uv: could not tell: no answer' }];
    expect(await fileIssue(host(), [], unknown)).toEqual({ $case: 'none' });
    await fileIssue(host(), [concern()]);
    expect(await fileIssue(host(), [], unknown)).toEqual({ $case: 'updated', number: 1 });
    expect(list).toMatchObject([{ state: 'open', body: expect.stringMatching(/Unknown this time[^]*uv/) as unknown }]);
    expect(await fileIssue(host(), [])).toEqual({ $case: 'closed', number: 1 });
  });

  it('shows text from files as text: no mention, link or table of its own', async () => {
    await fileIssue(host(), [concern('a | b @everyone <img src=x> [x](y)\n# big `code`')]);
    expect(list[0]?.body).not.toMatch(/@everyone|<img|\[x\]|`code`/);
    expect(list[0]?.body.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(3);
  });

  it('is an error that keeps the token to itself when GitHub refuses', async () => {
    status = 403;
    const error: unknown = await fileIssue(host(), [concern()]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ci/github', exit: 3 });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('ghs_secret');
  });

  it('needs the environment of a workflow', async () => {
    await expect(fileIssue(fakeHost(), [])).rejects.toMatchObject({ code: 'ci/github', exit: 2 });
  });
});
