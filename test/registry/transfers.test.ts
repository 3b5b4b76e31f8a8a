import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bounds, deadlines } from '../../src/core/deadlines.ts';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import type { Answer } from '../../src/registry/transport.ts';
import { received } from '../../src/registry/upload-session.ts';
import { at, codeOf, repo, scripted, type Asked, type Reply } from './scripted.ts';

const content = Buffer.from('0123456789');
const blobOf = (bytes: Buffer): Descriptor => ({
  mediaType: mediaTypes.layer,
  digest: digestOf(bytes),
  size: bytes.length,
});
const blob = blobOf(content);
const startOf = ({ headers }: Asked): number => Number(/^bytes=(\d+)-/.exec(headers['range'] ?? '')?.[1] ?? 0);

/** Reads the blob from a registry that answers like this, with so many attempts. */
function reading(answer: (asked: Asked) => Reply, attempts = 2, of = blob) {
  const made = scripted(answer, { retry: { attempts } });
  return {
    ...made,
    bytes: made.registry
      .blob(repo, of)
      .toArray()
      .then((parts) => Buffer.concat(parts as Buffer[])),
  };
}
/** The first answer ends after four bytes; what comes then is up to this. */
const brokenOff = (rest: Reply) => reading((asked) => (startOf(asked) === 0 ? { body: content.subarray(0, 4) } : rest));

describe('a blob that is read', () => {
  test('arrives', async () => {
    expect(await reading(() => ({ body: content })).bytes).toEqual(content);
  });

  test.each<[string, Reply]>([
    ['from there', { status: 206, headers: { 'content-range': 'bytes 4-9/10' }, body: content.subarray(4) }],
    ['from the beginning, by a server without ranges', { body: content }],
  ])('goes on after it broke off, %s', async (_name, rest) => {
    expect(await brokenOff(rest).bytes).toEqual(content);
  });

  test.each([['bytes 5-9/10'], ['bytes 40-49/50'], ['bytes 0-9/10'], ['4-9'], ['']])(
    'does not go on with the range %j',
    async (range) => {
      const rest = { status: 206, headers: { 'content-range': range }, body: content.subarray(4) };
      expect(await codeOf(brokenOff(rest).bytes)).toBe('registry/unexpected-answer');
    },
  );

  test.each([
    ['other bytes', Buffer.from('0123456780'), 'registry/digest-mismatch'],
    ['a byte more', Buffer.from('01234567890'), 'registry/size-mismatch'],
    ['a byte less, again and again', Buffer.from('012345678'), 'registry/size-mismatch'],
  ])('with %s is refused, and its end never handed out', async (_name, body, code) => {
    const stream = scripted(() => ({ body }), { retry: { attempts: 2 } }).registry.blob(repo, blob);
    let size = 0;
    const read = async (): Promise<void> => {
      for await (const part of stream) size += (part as Buffer).length;
    };
    expect(await codeOf(read())).toBe(code);
    expect(size).toBeLessThan(content.length);
  });

  /** Each connection brings one byte. */
  const dripping = (asked: Asked, bytes: Buffer): Reply => {
    const start = startOf(asked);
    const headers = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    return { status: start === 0 ? 200 : 206, headers, body: bytes.subarray(start, start + 1) };
  };

  test.each([
    [bounds.resumes, 'fine'],
    [bounds.resumes + 1, 'registry/unreachable'],
  ])('in %s connections: %s', async (connections, outcome) => {
    const bytes = Buffer.alloc(connections, 'x');
    const { bytes: read, log } = reading((asked) => dripping(asked, bytes), 1_000, blobOf(bytes));
    expect(await codeOf(read)).toBe(outcome);
    expect(log).toHaveLength(bounds.resumes);
  });

  test('for longer than a CI job lives is given up', async () => {
    const made = scripted(
      (asked) => {
        made.host.advance(deadlines.transfer / 2);
        return dripping(asked, content);
      },
      { retry: { attempts: 1_000 } },
    );
    expect(await codeOf(made.registry.blob(repo, blob).toArray())).toBe('registry/unreachable');
    expect(made.log).toHaveLength(2);
  });
});

describe('a blob that is looked for', () => {
  test.each<[string, Reply, boolean]>([
    ['of its size is there', { headers: { 'content-length': '10' } }, true],
    ['of no stated size is there', {}, true],
    ['of size 0, as some registries answer a HEAD, is there', { headers: { 'content-length': '0' } }, true],
    ['of another size is not: it would be a broken one', { headers: { 'content-length': '9' } }, false],
    ['of a size in words is not', { headers: { 'content-length': 'ten' } }, false],
    ['that is unknown is not', { status: 404 }, false],
  ])('%s', async (_name, reply, there) => {
    expect(await scripted(() => reply).registry.blobExists(repo, blob)).toBe(there);
  });

  test.each([401, 403, 500])('and answered with %s is an error, not absent', async (status) => {
    await expect(scripted(() => ({ status })).registry.blobExists(repo, blob)).rejects.toMatchObject({ exit: 3 });
  });
});

describe('an upload', () => {
  const source = (bytes = content) => ({
    open: (_blob: Descriptor, start = 0) => Readable.from([bytes.subarray(start)], { objectMode: false }),
    manifest: async () => Promise.reject(new Error('none')),
  });
  const opened: Reply = { status: 202, headers: { location: '/upload/1' } };

  /** Uploads in pieces of four bytes; PATCH and PUT are answered like this. */
  function uploading(answer: (asked: Asked) => Reply, bytes = content, attempts = 1) {
    const { log, asked, registry } = scripted(
      (request) => (request.method === 'POST' ? opened : request.method === 'PUT' ? { status: 201 } : answer(request)),
      {
        retry: { attempts },
      },
    );
    return { log, asked, done: registry.upload(repo, source(bytes), blob, { fresh: true, chunk: 4 }) };
  }
  const ends = ({ headers }: Asked): number => Number(/-(\d+)$/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
  const kept = (asked: Asked, range = `0-${ends(asked)}`): Reply => ({
    status: 202,
    headers: { ...opened.headers, range },
  });

  test('goes piece by piece, and is closed with the digest', async () => {
    const { log, asked, done } = uploading((request) => kept(request));
    expect(await done).toBe('uploaded');
    expect(log).toEqual([
      `POST ${at('blobs/uploads/')}`,
      'PATCH /upload/1',
      'PATCH /upload/1',
      'PATCH /upload/1',
      'PUT /upload/1',
    ]);
    expect(asked.at(-1)?.url.searchParams.get('digest')).toBe(blob.digest);
  });

  test('goes on from what the registry has taken of a piece', async () => {
    const { asked, done } = uploading((request) => kept(request, ends(request) === 3 ? '0-1' : undefined));
    await done;
    expect(asked.map(({ headers }) => headers['content-range'])).toEqual([undefined, '0-3', '2-5', '6-9', undefined]);
  });

  test.each([
    ['more than was sent', '0-9'],
    ['nothing', '0-0'],
  ])('of which the registry has %s is lost', async (_name, range) => {
    const { log, done } = uploading((request) => kept(request, range));
    expect(await codeOf(done)).toBe('registry/upload');
    expect(log).toHaveLength(2);
  });

  test('whose source ends early is the source’s error', async () => {
    const { done } = uploading((request) => kept(request), content.subarray(0, 6));
    expect(await codeOf(done)).toBe('registry/source');
  });

  test('whose smallest piece is too large is given up at once', async () => {
    const { log, done } = uploading(() => ({ status: 413 }), content, 3);
    expect(await codeOf(done)).toBe('registry/refused');
    expect(log).toHaveLength(2);
  });

  /** Where an upload goes whose session is at this address. */
  async function placed(headers: Reply['headers']): Promise<string> {
    const { asked, registry } = scripted(({ method }) =>
      method === 'POST' ? { status: 202, headers } : { status: 201 },
    );
    const outcome = await codeOf(registry.upload(repo, source(), blob, { fresh: true }));
    return outcome === 'fine' ? (asked.at(-1)?.url.origin ?? '') : outcome;
  }

  test.each([
    ['a path', '/upload/1', 'https://quay.example'],
    ['another host', 'https://cdn.example/1?state=x', 'https://cdn.example'],
    ['the registry without TLS, which a proxy before it ends', 'http://quay.example/1', 'https://quay.example'],
  ])('goes to %s', async (_name, location, origin) => {
    expect(await placed({ location })).toBe(origin);
  });

  test.each([
    ['another host without TLS', { location: 'http://cdn.example/1' }],
    ['a file', { location: 'file:///etc/passwd' }],
    ['what is no address', { location: 'https://[/' }],
    ['nowhere', {}],
  ])('does not go to %s', async (_name, headers) => {
    expect(await placed(headers)).toBe('registry/upload');
  });
});

test.each([
  ['0-1023', 1024],
  ['bytes=0-9', 10],
  ['0-0', 0],
  ['0-1', 2],
  ['5-9', undefined],
  ['0-', undefined],
  [`0-${'9'.repeat(16)}`, undefined],
  ['', undefined],
])('the range %j says that %s bytes are there', (range, bytes) => {
  expect(received({ headers: new Map([['range', range]]) } as unknown as Answer)).toBe(bytes);
});
