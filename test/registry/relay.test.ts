import { expect, test } from 'vitest';
import type { Descriptor } from '../../src/core/index.ts';
import { cutDownload, on } from '../support/registries/faults.ts';
import { noise } from '../support/registries/image.ts';
import { startMemoryRegistry, type Fault } from '../support/registries/memory-registry.ts';
import { closers, stage, type Stage } from './stage.ts';

/** The image of `stage` lies in one registry; a second one, empty, may misbehave, too. */
async function two(): Promise<Stage & { copy: () => Promise<Buffer>; there: string[]; spoil: (fault: Fault) => void }> {
  const here = await stage();
  let fault: Fault = () => false;
  const server = await startMemoryRegistry({ fault: (...given) => fault(...given) });
  closers.push(() => server.close());
  const to = { registry: server.host, repository: 'team/copy' };
  return {
    ...here,
    there: server.log,
    spoil: (given) => void (fault = given),
    copy: async () => {
      await here.registry.copy(here.repo, to, here.image.root.digest);
      return Buffer.concat((await here.registry.blob(to, large(here)).toArray()) as Buffer[]);
    },
  };
}
const large = ({ image }: Stage): Descriptor => image.blobs[2] as Descriptor;
const sent = (log: readonly string[], method: string): number =>
  log.filter((line) => line.startsWith(method) && line.includes('/blobs/uploads/')).length;

test('a large blob passes from one registry into another in a single request', async () => {
  const here = await two();
  expect(await here.copy()).toHaveLength(large(here).size);
  expect(sent(here.there, 'PATCH')).toBe(0);
});

test('where the request is too large for something in between, the blob goes in pieces', async () => {
  const here = await two();
  here.spoil((request, response) => {
    const size = Number(request.headers['content-length'] ?? '0');
    if (request.method !== 'PUT' || size < 2_000_000) return false;
    request.resume();
    response.writeHead(413).end();
    return true;
  });
  expect(await here.copy()).toHaveLength(large(here).size);
  expect(sent(here.there, 'PATCH')).toBeGreaterThan(0);
});

test('a source that breaks off is taken up where it broke', async () => {
  const here = await two();
  const bytes = Buffer.concat((await here.registry.blob(here.repo, large(here)).toArray()) as Buffer[]);
  const path = new RegExp(large(here).digest);
  here.misbehave(cutDownload(on('GET', path), bytes, 700_000));
  expect(bytes.equals(await here.copy())).toBe(true);
  expect(here.fake.told.join('\n')).toMatch(/broken off after \d+ of \d+ bytes; going on from there/);
});

test('other bytes of the source are refused by the registry that gets them, and its tree stays without a root', async () => {
  const here = await two();
  const wrong = noise('other', large(here).size);
  const headers = { 'content-length': String(wrong.length) };
  here.misbehave((request, response, path) => {
    if (request.method !== 'GET' || !path.includes(large(here).digest)) return false;
    response.writeHead(200, headers).end(wrong);
    return true;
  });
  await expect(here.copy()).rejects.toMatchObject({ exit: 3 });
  expect(here.there.filter((line) => line.startsWith('PUT') && line.includes('/manifests/'))).toEqual([]);
});
