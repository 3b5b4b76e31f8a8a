import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { describe, expect, test } from 'vitest';
import { apiOf, Git, GitHub, ownerAndName, type GitHubRequest } from '../../src/host/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { temporaryDirectory } from '../oci/support.ts';
import { commitFiles, newRepository } from '../support/upstream/repository.ts';

const host = fakeHost();

describe('git', () => {
  test('returns stdout, says no by undefined, and throws with what git said', async () => {
    const directory = temporaryDirectory();
    newRepository(directory);
    const commit = commitFiles(directory, { a: 'a' }, '2026-01-01');
    const git = new Git(host, { directory });
    expect((await git.run(['rev-parse', 'HEAD'])).trim()).toBe(commit);
    expect(await git.ask(['rev-parse', '--verify', '--quiet', 'none'])).toBeUndefined();
    await expect(git.run(['show', 'none'], 'show it')).rejects.toMatchObject({
      code: 'host/git',
      exit: 3,
      message: 'git could not show it',
      facts: { found: expect.stringContaining('none') as string },
    });
  });

  test('runs no hook of the repository', async () => {
    const directory = temporaryDirectory();
    newRepository(directory);
    mkdirSync(join(directory, '.git/hooks'), { recursive: true });
    writeFileSync(join(directory, '.git/hooks/post-commit'), `#!/bin/sh\ntouch ${directory}/ran\n`);
    chmodSync(join(directory, '.git/hooks/post-commit'), 0o755);
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.test'];
    await new Git(host, { directory }).run([...who, 'commit', '--allow-empty', '--quiet', '-m', 'x']);
    expect(existsSync(join(directory, 'ran'))).toBe(false);
  });

  test('cuts credentials out of what git says', async () => {
    const failing = fakeHost({
      run: async () => ({ exitCode: 1, stdout: '', stderr: 'fatal: https://me:secret@example.test/x' }),
    });
    const error: unknown = await new Git(failing).run(['fetch']).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ facts: { found: 'fatal: https://example.test/x' } });
  });
});

describe('the GitHub API', () => {
  test.each([
    ['https://github.com/o/n', 'https://api.github.com/repos/o/n', 'secret'],
    ['https://github.com/o/n.git', 'https://api.github.com/repos/o/n', 'secret'],
    ['https://git.example.com/o/n', 'https://git.example.com/api/v3/repos/o/n', undefined],
  ])('of %s is asked at %s, and the token goes to github.com alone', (repository, api, token) => {
    expect(apiOf(repository, { GITHUB_TOKEN: 'secret' })).toEqual({ api, token });
  });

  test('refuses an address that names no project', () => {
    expect(() => ownerAndName('https://github.com/o')).toThrow('names no owner and project');
  });

  test('checks the shape of an answer, and returns undefined where nothing is', async () => {
    const sent: GitHubRequest[] = [];
    let answer: unknown = { number: 1 };
    const github = new GitHub(
      { api: 'https://api.example.com/repos/o/n', token: 't' },
      async (_url, request) => {
        sent.push(request);
        return answer;
      },
      'x/y',
    );
    const schema = z.object({ number: z.number() });
    expect(await github.ask(schema, '/issues', 'POST', { title: 'x' })).toEqual({ number: 1 });
    expect(sent[0]).toMatchObject({ method: 'POST', authorization: 'Bearer t', body: '{"title":"x"}' });
    answer = undefined;
    expect(await github.ask(schema, '/issues')).toBeUndefined();
    answer = { number: 'one' };
    await expect(github.ask(schema, '/issues')).rejects.toMatchObject({ code: 'x/y', exit: 3 });
  });
});
