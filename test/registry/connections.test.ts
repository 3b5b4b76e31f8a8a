import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../src/core/index.ts';
import { answer, cutDownload, cutUpload, first, on } from '../support/registries/faults.ts';
import { makeImage } from '../support/registries/image.ts';
import { stage } from './stage.ts';

describe('connections that break', () => {
  const blobs = on('GET', /\/blobs\/sha256/);

  test('a download goes on where it broke, again and again', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    const blob = image.blobs[2] as Descriptor;
    const content = server.store.repository('team/app').blobs.get(blob.digest) ?? Buffer.alloc(0);
    misbehave(cutDownload(blobs, content, 700_000, 2));
    const bytes = Buffer.concat((await registry.blob(repo, blob).toArray()) as Buffer[]);
    expect(bytes.equals(content)).toBe(true);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-2499999$/),
      expect.stringMatching(/^bytes=[1-9]\d*-2499999$/),
    ]);
  });

  test('a download from a server without ranges starts anew and skips what is known', async () => {
    const { server, registry, image, repo, misbehave } = await stage();
    const blob = image.blobs[2] as Descriptor;
    const content = server.store.repository('team/app').blobs.get(blob.digest) ?? Buffer.alloc(0);
    const cut = cutDownload(blobs, content, 700_000, 1);
    misbehave(async (request, response, path) => {
      if (await cut(request, response, path)) return true;
      delete request.headers.range;
      return false;
    });
    const bytes = Buffer.concat((await registry.blob(repo, blob).toArray()) as Buffer[]);
    expect(bytes.equals(content)).toBe(true);
    expect(server.log.filter((line) => line.includes('/blobs/'))).toHaveLength(2);
  });

  test('a download that always ends too early gives up with the count', async () => {
    const { registry, image, repo, misbehave } = await stage({}, { retry: { attempts: 3 } });
    misbehave(cutDownload(blobs, Buffer.alloc(2_500_000), 0, Infinity));
    const failing = registry.blob(repo, image.blobs[2] as Descriptor).toArray();
    await expect(failing).rejects.toMatchObject({ code: 'registry/unreachable' });
  });

  test('an upload that was cut goes on from what the registry has', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('resume', 6_000_000);
    const blob = image.blobs[2] as Descriptor;
    misbehave(cutUpload(on('PATCH', /\/uploads\//), 2_000_000));
    expect(await registry.upload(repo, image.source, blob)).toBe('uploaded');
    expect(server.store.repository('team/app').blobs.get(blob.digest)?.length).toBe(blob.size);
    const ranges = server.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-range']);
    expect(ranges[0]).toBe('0-5999999');
    expect(ranges[1]).toMatch(/^[1-9]\d{6}-5999999$/);
    expect(ranges).toHaveLength(2);
    expect(server.log.filter((line) => line.startsWith('POST'))).toHaveLength(1);
    expect(image.opened[1]?.start).toBe(Number(ranges[1]?.split('-')[0]));
  });

  test('an upload that the registry garbled when it broke is sent once more from the start', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('garbled', 6_000_000);
    const blob = image.blobs[2] as Descriptor;
    misbehave(cutUpload(on('PATCH', /\/uploads\//), 2_000_000, 1, true));
    expect(await registry.upload(repo, image.source, blob)).toBe('uploaded');
    expect(server.store.repository('team/app').blobs.has(blob.digest)).toBe(true);
    expect(server.log.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  test('an upload whose session is forgotten starts anew', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('forgotten', 6_000_000);
    const blob = image.blobs[2] as Descriptor;
    misbehave(first(cutUpload(on('PATCH', /\/uploads\//), 2_000_000), answer(on('GET', /\/uploads\//), 404)));
    expect(await registry.upload(repo, image.source, blob)).toBe('uploaded');
    expect(server.store.repository('team/app').blobs.has(blob.digest)).toBe(true);
    expect(server.log.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  test('when only the last answer is lost, nothing is sent twice', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('lost answer', 6_000_000);
    const blob = image.blobs[2] as Descriptor;
    let lost = false;
    misbehave((request, response) => {
      if (request.method !== 'PUT' || lost) return false;
      lost = true;
      response.writeHead = () => {
        request.socket.destroy();
        return response;
      };
      return false;
    });
    expect(await registry.upload(repo, image.source, blob)).toBe('uploaded');
    expect(server.log.filter((line) => line.startsWith('PATCH'))).toHaveLength(1);
    expect(server.log.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
  });

  test('an upload that a proxy finds too large goes in pieces', async () => {
    const { server, registry, repo, misbehave } = await stage();
    const image = makeImage('proxy', 20_000_000);
    misbehave((request, response) => {
      if (Number(request.headers['content-length'] ?? '0') <= 17_000_000) return false;
      request.resume();
      response.writeHead(413).end();
      return true;
    });
    expect(await registry.upload(repo, image.source, image.blobs[2] as Descriptor)).toBe('uploaded');
    const sizes = server.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-length']);
    expect(sizes.slice(1).map(Number)).toEqual([16_777_216, 3_222_784]);
  });

  test('a source that breaks is told apart from the network, and not tried again', async () => {
    const { registry, repo } = await stage();
    const image = makeImage('source', 6_000_000);
    const short = { ...image.source, open: (blob: Descriptor) => image.source.open(blob, 5_000_000) };
    const failing = registry.upload(repo, short, image.blobs[2] as Descriptor);
    await expect(failing).rejects.toMatchObject({ code: 'registry/source', exit: 4 });
    expect(image.opened).toHaveLength(1);
  });

  test('bytes that are not what their digest says are refused by the registry', async () => {
    const { registry, repo } = await stage();
    const image = makeImage('tampered', 2_000);
    const other = makeImage('something else', 2_000);
    const source = { ...image.source, open: () => other.source.open(other.blobs[2] as Descriptor) };
    const failing = registry.upload(repo, source, image.blobs[2] as Descriptor);
    await expect(failing).rejects.toMatchObject({
      code: 'registry/refused',
      facts: { found: expect.stringContaining('DIGEST_INVALID') as string },
    });
  });
});
