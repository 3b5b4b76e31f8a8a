import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parsePlatform, type Mirrors } from '../../src/core/index.ts';
import { dockerEngine, parseEndpoint } from '../../src/engines/index.ts';
import { publishLayout } from '../../src/flows/publish/index.ts';
import type { LabState } from '../lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { answer, first, on } from '../support/registries/faults.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import {
  build,
  filesUnder,
  hostOf,
  makeProject,
  planOf,
  registryOf,
  startIn,
  type Project,
  type Ran,
} from './project.ts';

const host = hostOf();
let lab: LabState;
let project: Project;
let layout: string;

beforeAll(async () => {
  lab = await useLab();
  project = await makeProject(lab);
  layout = join(project.root, 'dist/small');
  const engine = dockerEngine(host, { endpoint: parseEndpoint(lab.docker.classic) });
  await build(project, () => Promise.resolve(engine), { host });
});
afterAll(() => project.remove());

const open: MemoryRegistry[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
async function serve(fault?: Fault): Promise<MemoryRegistry> {
  const server = await startMemoryRegistry(fault === undefined ? {} : { fault });
  open.push(server);
  return server;
}

const publish = async (server: MemoryRegistry, ...more: string[]): Promise<Ran> =>
  (await startIn(project, ['publish', 'small', '--to', `${server.host}/team/small`, ...more])).ended;

describe('the gate', () => {
  test('closes on an image that breaks the contract: exit 1, each breach told, and not one request sent', async () => {
    const server = await serve();
    const { code, stdout, stderr } = await publish(server, '--tag', 'latest');
    expect(code).toBe(1);
    expect(stderr).toContain('publish/gate');
    expect(stderr).toContain('nothing was pushed');
    expect(stderr).toContain('contract/required-path');
    expect(stdout).toBe('');
    expect(server.log).toEqual([]);
    expect(server.store.repositories.size).toBe(0);
  });

  test('a lab image goes to loopback only, and is refused before the gate is asked', async () => {
    const gate = () => Promise.reject(new Error('the gate was asked'));
    const leaving = publishLayout(host, {
      ...{ layout, repository: 'quay.io/team/small', registry: registryOf(project), tags: [], gate },
    });
    await expect(leaving).rejects.toMatchObject({ code: 'publish/lab-image', exit: 2, facts: { found: 'quay.io' } });
  });

  test('an image of uncommitted files names no commit, and is refused', async () => {
    const real = await makeProject(lab, { lab: false });
    const dirty = hostOf({ GIT_COMMIT: `${'d'.repeat(40)}-dirty` });
    const plan = { ...(await planOf(real, dirty)), platforms: [parsePlatform('linux/amd64')] };
    const engine = dockerEngine(host, { endpoint: parseEndpoint(lab.docker.classic) });
    await build(real, () => Promise.resolve(engine), { host: dirty, plan });
    const options = { layout: join(real.root, 'dist/small'), registry: registryOf(real), tags: [] };
    await expect(publishLayout(host, { ...options, repository: 'quay.io/team/small' })).rejects.toMatchObject({
      code: 'publish/revision',
      exit: 2,
      facts: { found: `${'d'.repeat(40)}-dirty` },
    });
    await real.remove();
  });
});

describe('the push', () => {
  test('tags move last, after every manifest; a second publish uploads and moves nothing', async () => {
    const server = await serve();
    const one = await publish(server, '--skip-gate', '--tag', 'latest,v1', '--json');
    expect(one).toMatchObject({ code: 0 });
    const published = JSON.parse(one.stdout) as { digest: string; tags: { tag: string; moved: boolean }[] };
    const puts = server.log.filter((line) => line.startsWith('PUT') && line.includes('/manifests/'));
    const names = puts.map((line) => line.slice(line.lastIndexOf('/') + 1));
    const tags = published.tags.map(({ tag }) => tag);
    expect(tags.slice(0, 2)).toEqual(['latest', 'v1']);
    expect(tags[2]).toMatch(/^input-[0-9a-f]{32}$/);
    // Two platforms, the index, and only then the tags.
    expect(names.slice(0, 3).every((name) => name.startsWith('sha256:'))).toBe(true);
    expect(names.slice(2)).toEqual([published.digest, ...tags]);
    expect(server.log.findLastIndex((line) => line.includes('/blobs/uploads/'))).toBeLessThan(
      server.log.indexOf(puts[0] ?? ''),
    );
    server.log.length = 0;
    const two = await publish(server, '--skip-gate', '--tag', 'latest,v1', '--json');
    expect(two).toMatchObject({ code: 0 });
    expect(JSON.parse(two.stdout)).toMatchObject({ digest: published.digest, push: { blobs: { uploaded: 0 } } });
    expect(server.log.filter((line) => !/^(?:HEAD|GET) /.test(line))).toEqual([]);
  });

  test('a registry that takes blobs and refuses the second platform’s manifest gets no index and no tag', async () => {
    let puts = 0;
    const second: Fault = (request, response) => {
      if (request.method !== 'PUT' || request.url?.includes('/manifests/') !== true || ++puts !== 2) return false;
      request.resume();
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"quota"}]}');
      return true;
    };
    const server = await serve(second);
    const { code, stderr } = await publish(server, '--skip-gate', '--tag', 'latest');
    expect(code).toBe(3);
    expect(stderr).toContain('quota');
    const { tags, manifests } = server.store.repository('team/small');
    expect([...tags]).toEqual([]);
    expect([...manifests.values()].map(({ mediaType }) => mediaType)).not.toContain(
      'application/vnd.oci.image.index.v1+json',
    );
    // The next run goes on from there.
    expect(await publish(server, '--skip-gate', '--tag', 'latest')).toMatchObject({ code: 0 });
    expect([...tags.keys()]).toContain('latest');
  });

  test('401 on the push ends in one error, exit 3, that says how to log in', async () => {
    const server = await serve(answer(() => true, 401));
    const { code, stderr } = await publish(server, '--skip-gate');
    expect(code).toBe(3);
    expect(stderr).toContain('registry/unauthorized');
    expect(stderr).toContain(`docker login ${server.host}`);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('a registry of the base that misbehaves, seen by the build command', () => {
  const manifests = on('GET', /\/manifests\//);
  const heads = on('HEAD', /\/manifests\//);
  const digest = () => lab.images.base.digest;
  const type = 'application/vnd.oci.image.index.v1+json';

  /** HEAD is answered well, GET gets another body. */
  const body = (bytes: () => Buffer, cutAt?: number): Fault => {
    const headers = () => ({ 'content-type': type, 'docker-content-digest': digest() });
    return (request, response, path) => {
      if (heads(request, path)) {
        response.writeHead(200, { ...headers(), 'content-length': '1000' }).end();
        return true;
      }
      if (!manifests(request, path)) return false;
      const whole = bytes();
      response.writeHead(200, { ...headers(), 'content-length': String(whole.length) });
      if (cutAt === undefined) response.end(whole);
      else response.write(whole.subarray(0, cutAt), () => setTimeout(() => response.destroy(), 10));
      return true;
    };
  };
  const everything = (status: number, headers: Record<string, string> = {}) => answer(() => true, status, headers);
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [] }));

  test.each<readonly [string, Fault, RegExp]>([
    ['401', everything(401), /registry\/unauthorized/],
    ['404', everything(404), /registry\/not-found/],
    ['429 that asks for an hour', everything(429, { 'retry-after': '3600' }), /registry\/rate-limited/],
    ['500 without end', everything(500), /registry\/upstream.*6 attempts|6 attempts/s],
    ['a truncated body', body(() => Buffer.alloc(1000, 32), 500), /attempts|truncated|ended|cut/],
    ['a body with the wrong digest', body(() => index), /digest/],
    ['a manifest of 100 MB', body(() => Buffer.alloc(100_000_000, 32)), /at most|too large|limit/],
  ])('%s is exit 3 with one error that names the base, and nothing is left', async (_name, fault, says) => {
    const server = await serve(first(fault));
    const mirrors: Mirrors = { images: { 'registry.access.redhat.com': server.host }, urls: {} };
    const folder = await makeProject(lab);
    const { code, stdout, stderr } = await (await startIn(folder, ['build', 'small'], mirrors)).ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).toContain(server.host);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect((await filesUnder(join(folder.root, 'dist'))).filter((file) => file !== 'small/oci-layout')).toEqual([]);
    await rm(folder.root, { recursive: true });
  });

  test('the digest that was promised is the lab’s, so the bodies above are really others', () => {
    expect(`sha256:${createHash('sha256').update(index).digest('hex')}`).not.toBe(digest());
  });
});
