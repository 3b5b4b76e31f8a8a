import { describe, expect, test } from 'vitest';
import { renderError } from '../../src/errors/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { answer, first, reset } from '../support/registries/faults.ts';
import { heads, manifests, stage } from './stage.ts';

describe('answers that are final', () => {
  test.each([
    [401, 'registry/unauthorized', /docker login 127\.0\.0\.1/],
    [403, 'registry/denied', /lacks the right/],
    [404, 'registry/not-found', /check the spelling/],
  ])('%i is not tried again and says what to do', async (status, code, hint) => {
    const { server, fake, registry, repo, misbehave } = await stage();
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the words of upstream' }] });
    misbehave(answer(manifests, status, {}, body));
    const failing = registry.manifest({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({ code, exit: 3, status });
    const text = await failing.catch(renderError);
    expect(text).toMatch(hint);
    expect(text).toContain(`${server.host}/team/app`);
    expect(text).toContain(`status ${status}, DENIED: the words of upstream (1 attempt)`);
    expect(server.log).toHaveLength(1);
    expect(fake.slept).toEqual([]);
  });
});

describe('answers that mend themselves', () => {
  test('429 waits as long as Retry-After asks for, in seconds', async () => {
    const { server, fake, registry, image, repo, misbehave } = await stage();
    misbehave(answer(heads, 429, { 'retry-after': '7' }, '', 1));
    expect(await registry.resolve({ ...repo, tag: 'v1' })).toEqual(image.root);
    expect(fake.slept[0]).toBe(7000);
    expect(server.log).toHaveLength(2);
    expect(fake.told).toEqual([expect.stringContaining('status 429; trying again in 7.0 s')]);
  });

  test('429 waits until the date that Retry-After names', async () => {
    const { fake, registry, repo, misbehave } = await stage();
    const at = new Date(Math.ceil(fake.clock.now().getTime() / 1000) * 1000 + 90_000);
    const left = at.getTime() - fake.clock.now().getTime();
    misbehave(answer(heads, 429, { 'retry-after': at.toUTCString() }, '', 1));
    await registry.resolve({ ...repo, tag: 'v1' });
    expect(fake.slept[0]).toBe(left);
  });

  test('a wait of an hour is not waited for', async () => {
    const { server, fake, registry, repo, misbehave } = await stage();
    misbehave(answer(heads, 429, { 'retry-after': '3600' }));
    await expect(registry.resolve({ ...repo, tag: 'v1' })).rejects.toMatchObject({ code: 'registry/rate-limited' });
    expect(server.log).toHaveLength(1);
    expect(fake.slept).toEqual([]);
  });

  test('500, 502 and 503 are tried again with growing waits until it works', async () => {
    const { server, fake, registry, image, repo, misbehave } = await stage();
    misbehave(
      first(answer(manifests, 500, {}, '', 1), answer(manifests, 502, {}, '', 1), answer(manifests, 503, {}, '', 1)),
    );
    expect((await registry.manifest({ ...repo, tag: 'v1' })).descriptor).toEqual(image.root);
    expect(server.log).toHaveLength(4);
    const [one = 0, two = 0, three = 0] = fake.slept;
    expect(one).toBeGreaterThanOrEqual(200);
    expect(one).toBeLessThanOrEqual(400);
    expect(two).toBeGreaterThanOrEqual(400);
    expect(three).toBeGreaterThanOrEqual(800);
  });

  test('a registry that stays broken ends in one error with the number of attempts', async () => {
    const { server, registry, repo, misbehave } = await stage();
    misbehave(answer(manifests, 500, { 'content-type': 'text/html' }, '<html><title>Internal Error</title></html>'));
    const failing = registry.manifest({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/upstream', exit: 3 });
    expect(await failing.catch(renderError)).toContain('status 500, an HTML page titled "Internal Error" (6 attempts)');
    expect(server.log).toHaveLength(6);
  });

  test('reset connections are tried again', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    misbehave(reset(manifests, 2));
    expect((await registry.manifest({ ...repo, tag: 'v1' })).descriptor).toEqual(image.root);
    expect(server.log).toHaveLength(3);
  });

  test('a host that is not there is unreachable, and named', async () => {
    const { fake } = await stage();
    const registry = createRegistry(fake, { retry: { attempts: 2 } });
    const failing = registry.resolve({ registry: '127.0.0.1:1', repository: 'a/b', tag: 'x' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/unreachable' });
    expect(await failing.catch(renderError)).toMatch(
      /127\.0\.0\.1:1\/a\/b.*\n.*no answer \(2 attempts\)\n.*ECONNREFUSED/,
    );
  });
});
