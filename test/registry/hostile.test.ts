import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { bounds } from '../../src/core/deadlines.ts';
import type { Descriptor } from '../../src/core/index.ts';
import { renderError } from '../../src/errors/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { redactUrl } from '../../src/registry/redact.ts';
import { fakeHost } from '../support/fake-host.ts';
import { on } from '../support/registries/faults.ts';
import { makeImage } from '../support/registries/image.ts';
import { loginFile } from '../support/registries/login.ts';
import { startMemoryRegistry, type Fault } from '../support/registries/memory-registry.ts';
import { starve, starvings } from '../support/registries/starve.ts';
import { closers, stage } from './stage.ts';

const blobs = on('GET', /\/blobs\/sha256/);

describe('a blob whose answer breaks below HTTP', () => {
  const broken = starvings.filter((how) => how !== 'stall');

  // The others may bring bytes that are not the blob's, which its digest finds out.
  test.each(['cut', 'reset'] as const)('%s, once: it is read all the same', async (how) => {
    const { server, registry, image, repo, misbehave } = await stage();
    const blob = image.blobs[2] as Descriptor;
    misbehave(starve(how, 0, false).fault);
    const bytes = Buffer.concat((await registry.blob(repo, blob).toArray()) as Buffer[]);
    expect(bytes.equals(server.store.repository('team/app').blobs.get(blob.digest) ?? Buffer.alloc(0))).toBe(true);
  });

  test.each(broken)('%s, always: an error, and never silence', async (how) => {
    const { registry, image, repo, misbehave } = await stage({}, { retry: { attempts: 2 } });
    misbehave(starve(how, 0, true).fault);
    await expect(registry.blob(repo, image.blobs[2] as Descriptor).toArray()).rejects.toMatchObject({ exit: 3 });
  });

  test('an answer that is no HTTP is called that, not a network that is down', async () => {
    const { registry, repo, misbehave } = await stage({}, { retry: { attempts: 2 } });
    misbehave(starve('malformed', 0, true).fault);
    const text = await registry.manifest({ ...repo, tag: 'v1' }).then(() => '', renderError);
    expect(text).toContain('code:     registry/malformed');
    expect(text).toMatch(/found: +no valid HTTP came \(2 attempts\)\n +because: .*HPE_INVALID_CHUNK_SIZE/);
    expect(text).not.toMatch(/no answer|check that this machine/);
  });
});

describe('a server that gives a little for ever', () => {
  test('one byte for each request: a blob is given up after the usual attempts', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    const blob = image.blobs[2] as Descriptor;
    const content = server.store.repository('team/app').blobs.get(blob.digest) ?? Buffer.alloc(0);
    misbehave((request, response, path) => {
      if (!blobs(request, path)) return false;
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? '0');
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': String(content.length - start),
        'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      });
      response.write(content.subarray(start, start + 1), () => setTimeout(() => response.destroy(), 5));
      return true;
    });
    await expect(registry.blob(repo, blob).toArray()).rejects.toMatchObject({ code: 'registry/unreachable' });
    expect(server.log.length).toBe(6);
  });

  test('one byte of each piece of an upload: it is given up', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('byte by byte', 2_000_000);
    let has = 0;
    misbehave((request, response, path) => {
      if (request.method !== 'PATCH') return false;
      request.resume().once('end', () => {
        has += 1;
        response.writeHead(202, { location: path, range: has === 1 ? '0-1' : `0-${has}` }).end();
      });
      return true;
    });
    const failing = registry.upload(repo, image.source, image.blobs[2] as Descriptor);
    await expect(failing).rejects.toMatchObject({ code: 'registry/upload' });
    expect(server.log.filter((line) => line.startsWith('PATCH'))).toHaveLength(bounds.resumes + 1);
  });

  /** Every page is empty, and names another one. */
  const pages = (body: object): Fault => {
    let page = 0;
    return (_request, response, path) => {
      page += 1;
      response.writeHead(200, { link: `<${path}?page=${page}>; rel="next"` }).end(JSON.stringify(body));
      return true;
    };
  };

  test('empty pages of tags', async () => {
    const { server, registry, repo, misbehave } = await stage();
    misbehave(pages({ tags: [] }));
    await expect(registry.tags(repo)).rejects.toMatchObject({ code: 'registry/pages', exit: 3 });
    expect(server.log).toHaveLength(bounds.emptyPages + 1);
  });

  test('pages of one tag', async () => {
    const { server, registry, repo, misbehave } = await stage();
    misbehave(pages({ tags: ['v1'] }));
    await expect(registry.tags(repo)).rejects.toMatchObject({ code: 'registry/pages', exit: 3 });
    expect(server.log).toHaveLength(bounds.pages);
  });

  test('empty pages of referrers', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    misbehave(pages({ manifests: [] }));
    await expect(registry.referrers(repo, image.root.digest)).rejects.toMatchObject({ code: 'registry/pages' });
    expect(server.log).toHaveLength(bounds.emptyPages + 1);
  });

  test('pages of referrers that go in circles are no whole list', async () => {
    const { registry, image, repo, misbehave } = await stage();
    misbehave((_request, response, path) => {
      response.writeHead(200, { link: `<${path}>; rel="next"` }).end('{"manifests":[]}');
      return true;
    });
    await expect(registry.referrers(repo, image.root.digest)).rejects.toMatchObject({
      code: 'registry/pages',
      message: expect.stringContaining('in circles') as string,
    });
  });
});

describe('a refresh token', () => {
  test.each([307, 308])('is sent to no other place than the one named (%i)', async (status) => {
    const got: string[] = [];
    const thief = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      request.on('end', () => response.end('{"token":"x"}'));
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.2', resolve));
    const elsewhere = `http://127.0.0.2:${(thief.address() as AddressInfo).port}/token`;
    const server = await startMemoryRegistry({
      auth: { scheme: 'bearer', user: 'me', password: 'a long password', identityToken: 'refresh-0123456789' },
      fault: (request, response, path) => {
        if (path !== '/token') return false;
        request.resume();
        response.writeHead(status, { location: elsewhere }).end();
        return true;
      },
    });
    const login = loginFile({ auths: { [server.host]: { identitytoken: 'refresh-0123456789' } } });
    closers.push(
      () => server.close(),
      login.remove,
      () => {
        thief.close();
        thief.closeAllConnections();
      },
    );
    const registry = createRegistry(fakeHost({ env: login.env }));
    const failing = registry.tags({ registry: server.host, repository: 'team/app' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/redirect', exit: 3 });
    expect(got).toEqual([]);
  });
});

test('an address without an origin is shown as it is, and its secrets are not', () => {
  expect(redactUrl('file:///etc/passwd')).toBe('file:///etc/passwd');
  expect(redactUrl('data:text/plain,secret')).toBe('data:…');
  expect(redactUrl('ftp://me:secret@host/x?token=secret')).toBe('ftp://host/x?token=…');
});
