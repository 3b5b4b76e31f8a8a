import { createHash, randomBytes } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { labelNames, type Mirrors } from '../../src/core/index.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from '../lab/use-lab.ts';
import { startFaultProxy } from '../support/registries/fault-proxy.ts';
import { answer, cutUpload, first, on, reset, type Match } from '../support/registries/faults.ts';
import { startMemoryRegistry, type Fault, type MemoryRegistry } from '../support/registries/memory-registry.ts';
import { relabelled } from './relabelled.ts';
import { copyFragment, filesUnder, makeProject, startIn, type Project, type Ran } from './project.ts';

const ociIndex = 'application/vnd.oci.image.index.v1+json';

let lab: LabState;
let project: Project;
const projects: Project[] = [];

async function newProject(options: { readonly lab?: boolean } = {}): Promise<Project> {
  const made = await makeProject(lab, options);
  await made.write('images/fragments/small.dockerfile', copyFragment);
  projects.push(made);
  return made;
}

const command = async (from: Project, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  (await startIn(from, args, from.mirrors, env)).ended;

async function works(from: Project, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const ran = await command(from, args, env);
  if (ran.code !== 0) throw new Error(`${args.join(' ')}: exit ${ran.code ?? 'none'}\n${ran.stderr}`);
  return ran;
}

beforeAll(async () => {
  lab = await useLab();
  project = await newProject();
  await works(project, ['build', 'small']);
});
afterAll(async () => {
  for (const made of projects) await made.remove();
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
async function serve(fault?: Fault): Promise<MemoryRegistry> {
  const server = await startMemoryRegistry(fault === undefined ? {} : { fault });
  open.push(server);
  return server;
}

/** A repository of the lab's registry that no other test has. */
const fresh = (): string => `itg-${randomBytes(4).toString('hex')}/small`;
const publish = (to: string, ...more: string[]): Promise<Ran> =>
  command(project, ['publish', 'small', '--to', to, ...more]);

async function digestIn(repository: string, reference: string): Promise<string | undefined> {
  const url = `http://${lab.registry}/v2/${repository}/manifests/${reference}`;
  const reply = await fetch(url, { method: 'HEAD', headers: { accept: ociIndex } });
  return reply.status === 200 ? (reply.headers.get('docker-content-digest') ?? undefined) : undefined;
}

interface Published {
  readonly digest: string;
  readonly reference: string;
  readonly push: { readonly blobs: { readonly uploaded: number } };
  readonly tags: readonly { readonly tag: string; readonly before?: string; readonly moved: boolean }[];
}
const published = ({ stdout }: Ran): Published => JSON.parse(stdout) as Published;
/** One error, with what to do, and no stack of ours. */
const oneError = (stderr: string): void => {
  expect(stderr.match(/^error: /gm)).toHaveLength(1);
  expect(stderr).toMatch(/^ {2}do: /m);
  expect(stderr).not.toMatch(/\n\s+at /);
};

describe('the gate', () => {
  test('closes on an image that breaks the contract: exit 1, each breach told, and not one request sent', async () => {
    const server = await serve();
    // What the gate says is remembered beside the layout, so this one has a layout of its own.
    const broken = await newProject();
    await cp(join(project.root, 'dist'), join(broken.root, 'dist'), { recursive: true });
    const args = ['publish', 'small', '--to', `${server.host}/team/small`, '--tag', 'latest'];
    const { code, stdout, stderr } = await command(broken, args);
    expect(code).toBe(1);
    oneError(stderr);
    expect(stderr).toContain('publish/gate');
    expect(stderr).toContain('nothing was pushed');
    expect(stderr).toContain('contract/required-path');
    expect(stdout).toBe('');
    // Nobody gets past it afterwards by saying that it was passed.
    const skipping = await command(broken, [...args, '--skip-gate']);
    expect(skipping.code).toBe(1);
    oneError(skipping.stderr);
    expect(skipping.stderr).toContain('the gate was closed to this very image');
    expect(server.log).toEqual([]);
    expect(server.store.repositories.size).toBe(0);
  });

  test('a lab image goes to loopback only, and is refused before the gate reads it: exit 2', async () => {
    const { code, stdout, stderr } = await publish('quay.io/team/small', '--tag', 'latest');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    oneError(stderr);
    expect(stderr).toContain('publish/lab-image');
    expect(stderr).toContain('quay.io');
    expect(stderr).not.toContain('reading oci:');
  });

  test('an image of uncommitted files names no commit, and is refused before the gate reads it: exit 2', async () => {
    // Everything on the lab's base carries its label; without it, what is refused next is the revision.
    const real = await newProject();
    const dirty = `${'d'.repeat(40)}-dirty`;
    await relabelled(
      join(project.root, 'dist/small'),
      join(real.root, 'dist/small'),
      ({ [labelNames.lab]: _lab, ...labels }) => ({
        ...labels,
        [labelNames.revision]: dirty,
      }),
    );
    const { code, stdout, stderr } = await command(real, ['publish', 'small', '--to', 'quay.io/team/small']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    oneError(stderr);
    expect(stderr).toContain('publish/revision');
    expect(stderr).toContain(dirty);
    expect(stderr).not.toContain('reading oci:');
  });
});

describe('the push into a real registry', () => {
  test('everything goes by digest and tags move last; a second publish uploads and moves nothing', async () => {
    const proxy = await startFaultProxy(lab.registry);
    open.push(proxy);
    const repository = fresh();
    const args = [`${proxy.host}/${repository}`, '--skip-gate', '--tag', 'latest,v1', '--json'] as const;
    const one = published(await publish(...args));
    const tags = one.tags.map(({ tag }) => tag);
    expect(tags.slice(0, 2)).toEqual(['latest', 'v1']);
    expect(tags[2]).toMatch(/^input-[0-9a-f]{32}$/);
    const puts = proxy.log.filter((line) => line.startsWith('PUT') && line.includes('/manifests/'));
    const names = puts.map((line) => line.slice(line.lastIndexOf('/') + 1));
    // Two platforms, the index, and only then the tags.
    expect(names.slice(0, 3).every((name) => name.startsWith('sha256:'))).toBe(true);
    expect(names.slice(2)).toEqual([one.digest, ...tags]);
    expect(proxy.log.findLastIndex((line) => line.includes('/blobs/uploads/'))).toBeLessThan(
      proxy.log.indexOf(puts[0] ?? ''),
    );
    for (const name of [one.digest, ...tags]) expect(await digestIn(repository, name)).toBe(one.digest);
    proxy.log.length = 0;
    const two = published(await publish(...args));
    expect(two).toMatchObject({ digest: one.digest, push: { blobs: { uploaded: 0 } } });
    expect(two.tags.map(({ moved }) => moved)).toEqual([false, false, false]);
    expect(proxy.log.filter((line) => !/^(?:HEAD|GET) /.test(line))).toEqual([]);
  });

  test('a registry that takes everything but the new index keeps the old tag; the next run goes on from there', async () => {
    const repository = fresh();
    const { digest: old } = published(
      await publish(`${lab.registry}/${repository}`, '--skip-gate', '--tag', 'v1', '--json'),
    );
    const next = await newProject();
    await next.write('images/small/rootfs/note', 'another note\n');
    await works(next, ['build', 'small']);
    const isIndex: Match = (request, path) =>
      request.method === 'PUT' && path.includes('/manifests/') && request.headers['content-type'] === ociIndex;
    const denied = '{"errors":[{"code":"DENIED","message":"quota is used up"}]}';
    const proxy = await startFaultProxy(lab.registry, answer(isIndex, 403, {}, denied));
    open.push(proxy);
    const args = ['publish', 'small', '--to', `${proxy.host}/${repository}`, '--skip-gate', '--tag', 'v1,v2', '--json'];
    const broken = await command(next, args);
    expect(broken.code).toBe(3);
    oneError(broken.stderr);
    expect(broken.stderr).toContain('quota is used up');
    expect(await digestIn(repository, 'v1')).toBe(old);
    expect(await digestIn(repository, 'v2')).toBeUndefined();
    const args2 = args.map((arg) => arg.replace(proxy.host, lab.registry));
    const { digest, push, tags } = published(await works(next, args2));
    expect(digest).not.toBe(old);
    expect(push.blobs.uploaded).toBe(0);
    expect(tags.slice(0, 2)).toMatchObject([
      { tag: 'v1', before: old, moved: true },
      { tag: 'v2', moved: true },
    ]);
    expect(await digestIn(repository, 'v1')).toBe(digest);
  });
});

describe('a registry that misbehaves while it is pushed to', () => {
  const uploads = /\/blobs\/uploads\//;

  test('429 with Retry-After, 500, 502, a reset and a broken upload are got over, and the registry has it whole', async () => {
    const server = await serve(
      first(
        answer(on('POST', uploads), 429, { 'retry-after': '1' }, '', 1),
        answer(on('POST', uploads), 500, {}, '', 1),
        cutUpload(on('PATCH', uploads), 1),
        reset(on('HEAD', /\/blobs\//), 1),
        answer(on('PUT', /\/manifests\/sha256:/), 502, {}, '', 1),
      ),
    );
    const ran = await publish(`${server.host}/team/small`, '--skip-gate', '--tag', 'v1', '--json');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/status 429; trying again in 1\.0 s/);
    expect(ran.stderr).toMatch(/status 500; trying again/);
    expect(ran.stderr).toMatch(/status 502; trying again/);
    const { tags, manifests } = server.store.repository('team/small');
    expect(tags.get('v1')).toBe(published(ran).digest);
    expect(manifests.size).toBe(3);
  });

  test.each([
    [401, /registry\/unauthorized/, /docker login 127\.0\.0\.1/],
    [404, /registry\/not-found/, /check the spelling/],
    [429, /registry\/rate-limited/, /wait, or log in/],
  ])(
    '%i for good is exit 3 with one error that says what to do, and nothing was tagged',
    async (status, says, hint) => {
      const server = await serve(answer((request) => request.method !== 'HEAD', status, { 'retry-after': '3600' }));
      const { code, stdout, stderr } = await publish(`${server.host}/team/small`, '--skip-gate', '--tag', 'v1');
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      oneError(stderr);
      expect(stderr).toMatch(says);
      expect(stderr).toMatch(hint);
      expect([...server.store.repository('team/small').tags]).toEqual([]);
    },
  );
});

describe('a registry of the base that misbehaves, seen by the build command', () => {
  const manifests = on('GET', /\/manifests\//);
  const heads = on('HEAD', /\/manifests\//);
  const digest = () => lab.images.base.digest;

  /** HEAD is answered well, GET gets another body. */
  const body = (bytes: () => Buffer, cutAt?: number): Fault => {
    const headers = () => ({ 'content-type': ociIndex, 'docker-content-digest': digest() });
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
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] }));

  // At once: most of their time goes by in waiting before the next attempt.
  test.concurrent.for<readonly [string, Fault, RegExp]>([
    ['401', everything(401), /status 401.*docker login/s],
    ['404', everything(404), /status 404.*check the spelling/s],
    ['429 that asks for an hour', everything(429, { 'retry-after': '3600' }), /status 429.*wait, or log in/s],
    ['500 without end', everything(500), /status 500.*6 attempts/s],
    ['a truncated body', body(() => Buffer.alloc(1000, 32), 500), /6 attempts/],
    ['a body with the wrong digest', body(() => index), /registry\/digest-mismatch/],
    ['a manifest of 100 MB', body(() => Buffer.alloc(100_000_000, 32)), /registry\/too-large/],
  ])(
    '%s is exit 3 with one error that names the registry, and nothing is left',
    async ([, fault, says], { onTestFinished }) => {
      const server = await startMemoryRegistry({ fault });
      onTestFinished(() => server.close());
      const mirrors: Mirrors = { images: { 'registry.access.redhat.com': server.host }, urls: {} };
      const folder = await newProject();
      const { code, stdout, stderr } = await (await startIn(folder, ['build', 'small'], mirrors)).ended;
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      oneError(stderr);
      expect(stderr).toMatch(says);
      expect(stderr).toContain(server.host);
      expect((await filesUnder(join(folder.root, 'dist'))).filter((file) => file !== 'small/oci-layout')).toEqual([]);
    },
  );

  const nobody: Mirrors = { images: { 'registry.access.redhat.com': '127.0.0.1:1' }, urls: {} };

  test.concurrent('one that does not answer is named, and so is what works without it', async () => {
    const folder = await newProject();
    const { code, stdout, stderr } = await (await startIn(folder, ['build', 'small'], nobody)).ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    oneError(stderr);
    expect(stderr).toContain('cannot get ubi10 from registry.access.redhat.com');
    expect(stderr).toContain('flows/upstream-unreachable');
    expect(stderr).toMatch(/do: .*--mirrors FILE.*make demo/);
  });

  test.concurrent('a dry run does not ask it, and writes nothing', async () => {
    const folder = await newProject();
    const { code, stdout, stderr } = await (await startIn(folder, ['build', 'small', '--dry-run'], nobody)).ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('nothing was built for linux/amd64, linux/arm64');
    expect(stderr).toMatch(/would build .*Dockerfile\.small for linux\/arm64: context of \d+ bytes/);
    expect(await filesUnder(join(folder.root, 'dist'))).toEqual([]);
  });

  test('the digest that was promised is the lab’s, so the bodies above are really others', () => {
    expect(`sha256:${createHash('sha256').update(index).digest('hex')}`).not.toBe(digest());
  });
});
