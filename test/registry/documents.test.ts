import { describe, expect, test } from 'vitest';
import { digestOf, mediaTypes, type Digest } from '../../src/core/index.ts';
import { maxManifestBytes } from '../../src/core/media-types.ts';
import { manifestExists } from '../../src/registry/manifest.ts';
import { readNode } from '../../src/registry/node.ts';
import { Transport } from '../../src/registry/transport.ts';
import { at, codeOf, manifestWith, replies, repo, scripted, type Reply } from './scripted.ts';

const { bytes, descriptor } = manifestWith();
const other = digestOf('another manifest');
const said = (digest: string, more: Readonly<Record<string, string>> = {}): Reply['headers'] => ({
  'docker-content-digest': digest,
  ...more,
});
const sha512 = digestOf(bytes, 'sha512');
const byDigest = { ...repo, digest: descriptor.digest };
const byTag = { ...repo, tag: 'v1' };

describe('a manifest that was written', () => {
  const written = (headers: Reply['headers'] = {}) =>
    scripted(() => ({ status: 201, headers })).registry.put(repo, bytes, mediaTypes.manifest, 'v1');

  test.each([
    ['under its own digest', said(descriptor.digest)],
    ['under a digest that the registry does not name', {}],
    ['under what is no digest', said('yes')],
  ])('%s is there', async (_name, headers) => {
    expect((await written(headers)).digest).toBe(descriptor.digest);
  });

  test('under another digest is an error: the registry holds something else', async () => {
    expect(await codeOf(written(said(other)))).toBe('registry/digest-mismatch');
  });

  test.each([
    ['names its subject', { 'oci-subject': other }, true],
    ['names what is no digest', { 'oci-subject': 'yes' }, false],
    ['names none', {}, false],
  ])('is filed under its subject when the registry %s', async (_name, headers, filed) => {
    expect((await written(headers)).subjectFiled).toBe(filed);
  });

  test.each([
    ['of 4 MiB', maxManifestBytes, mediaTypes.manifest, 'fine'],
    ['of a byte more', maxManifestBytes + 1, mediaTypes.manifest, 'registry/manifest'],
    ['of another kind', 2, mediaTypes.config, 'registry/manifest'],
  ])('%s: %s', async (_name, size, type, outcome) => {
    const { registry } = scripted(() => ({ status: 201 }));
    expect(await codeOf(registry.put(repo, Buffer.alloc(size), type))).toBe(outcome);
  });
});

describe('a manifest that is read', () => {
  const read = (reply: Reply, ref: Parameters<ReturnType<typeof scripted>['registry']['manifest']>[0] = byTag) =>
    codeOf(scripted(() => reply).registry.manifest(ref));

  test.each<[string, Reply]>([
    ['without a word of its digest', { body: bytes }],
    ['with its digest', { body: bytes, headers: said(descriptor.digest) }],
    ['with its digest by another algorithm', { body: bytes, headers: said(sha512) }],
    ['of 4 MiB', { body: bytes.toString().padEnd(maxManifestBytes) }],
  ])('%s is taken', async (_name, reply) => {
    expect(await read(reply)).toBe('fine');
  });

  test.each<[string, Reply, string]>([
    ['with the digest of another', { body: bytes, headers: said(other) }, 'registry/digest-mismatch'],
    [
      'with the digest of another by another algorithm',
      { body: bytes, headers: said(digestOf('x', 'sha512')) },
      'registry/digest-mismatch',
    ],
    ['of a byte more than 4 MiB', { body: bytes.toString().padEnd(maxManifestBytes + 1) }, 'registry/too-large'],
    [
      'that announces more than 4 MiB',
      { body: bytes, headers: { 'content-length': String(maxManifestBytes + 1) } },
      'registry/too-large',
    ],
    [
      'as a web page, whatever is in it',
      { body: bytes, headers: { 'content-type': 'text/html; charset=utf-8' } },
      'registry/unexpected-answer',
    ],
  ])('%s is refused', async (_name, reply, code) => {
    expect(await read(reply)).toBe(code);
  });

  test.each([
    ['its bytes', bytes, 'fine'],
    ['other bytes', Buffer.from(`${bytes.toString()} `), 'registry/digest-mismatch'],
  ])('by digest needs %s', async (_name, body, outcome) => {
    expect(await read({ body }, byDigest)).toBe(outcome);
  });

  test('by tag and digest is read by the digest', async () => {
    const { registry, log } = scripted(() => ({ body: bytes }));
    await registry.manifest({ ...byDigest, tag: 'v1' });
    expect(log).toEqual([`GET ${at(`manifests/${descriptor.digest}`)}`]);
  });

  test('by neither is wrong use', async () => {
    expect(await read({ body: bytes }, repo)).toBe('registry/reference');
  });
});

describe('a HEAD', () => {
  const head = (digest: string): Reply => ({
    headers: said(digest, { 'content-type': mediaTypes.manifest, 'content-length': '9' }),
  });
  const exists = (reply: Reply) =>
    manifestExists(new Transport(scripted(() => reply).host, { retry: { attempts: 1 } }), repo, descriptor.digest);

  test.each<[string, Reply, boolean]>([
    ['that names the digest says yes', head(descriptor.digest), true],
    ['that names none says yes', {}, true],
    ['of 404 says no', { status: 404, headers: said(other) }, false],
  ])('%s', async (_name, reply, there) => {
    expect(await exists(reply)).toBe(there);
  });

  test('that names another digest is an error, not an answer', async () => {
    expect(await codeOf(exists(head(other)))).toBe('registry/digest-mismatch');
  });

  test('by digest resolves to that digest', async () => {
    const { registry } = scripted(() => head(descriptor.digest));
    expect((await registry.resolve(byDigest)).digest).toBe(descriptor.digest);
  });

  test('by digest that names another one is an error', async () => {
    expect(await codeOf(scripted(() => head(other)).registry.resolve(byDigest))).toBe('registry/digest-mismatch');
  });

  test.each([
    [200, 'there'],
    [404, 'gone'],
    [403, 'unknown'],
    [500, 'unknown'],
  ])('of %s settles as %s', async (status, outcome) => {
    const { registry } = scripted(() => ({ ...head(descriptor.digest), status }));
    expect([...(await registry.resolveAll([byTag])).values()]).toMatchObject([{ $case: outcome }]);
  });
});

describe('a document', () => {
  const index = (entries: number, more: object = {}): Buffer =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: Array.from({ length: entries }, () => descriptor),
        ...more,
      }),
    );
  const outcome = (document: Buffer, declared?: string): string => {
    try {
      return readNode(document, declared, 'it').mediaType;
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };

  test.each<[string, Buffer, string | undefined, string]>([
    ['with a list of manifests is an index', index(1), undefined, mediaTypes.index],
    ['is what it was declared as', index(1), mediaTypes.dockerList, mediaTypes.dockerList],
    ['declared as plain text is what it is', index(1), 'text/plain', mediaTypes.index],
    ['of 10,000 entries is read', index(10_000), undefined, mediaTypes.index],
    ['of 10,001 entries is refused', index(10_001), undefined, 'registry/malformed-manifest'],
    ['of the first schema is refused', index(1, { schemaVersion: 1 }), undefined, 'registry/malformed-manifest'],
    ['of no schema is refused', index(1, { schemaVersion: undefined }), undefined, 'registry/malformed-manifest'],
    [
      'that is an index inside and a manifest outside is refused',
      index(1, { mediaType: mediaTypes.index }),
      mediaTypes.manifest,
      'registry/malformed-manifest',
    ],
    ['of another type is refused', index(1, { mediaType: 'text/plain' }), undefined, 'registry/malformed-manifest'],
    ['that is a list is refused', Buffer.from('[]'), undefined, 'registry/malformed-manifest'],
  ])('%s', (_name, document, declared, expected) => {
    expect(outcome(document, declared)).toBe(expected);
  });
});

describe('referrers', () => {
  const subject = descriptor.digest;
  const own = manifestWith({ subject: descriptor });
  const listed = (digest: Digest): Reply => ({
    body: JSON.stringify({ manifests: [{ mediaType: mediaTypes.manifest, digest, size: 1 }] }),
  });
  const list = (of: Reply, manifest: Reply) =>
    scripted(
      replies({
        [`GET ${at(`referrers/${subject}`)}`]: of,
        [`GET ${at(`manifests/${own.descriptor.digest}`)}`]: manifest,
      }),
    ).registry.referrers(repo, subject);

  test('are opened, and taken when they name the subject', async () => {
    const { referrers, rejected } = await list(listed(own.descriptor.digest), { body: own.bytes });
    expect([referrers.map((one) => one.descriptor.digest), rejected]).toEqual([[own.descriptor.digest], []]);
  });

  test.each([
    ['no subject', manifestWith({ annotations: { a: 'b' } }), 'no-subject'],
    ['another subject', manifestWith({ subject: { ...descriptor, digest: other } }), 'other-subject'],
  ])('with %s are rejected by name', async (_name, made, reason) => {
    const found = await scripted(
      replies({
        [`GET ${at(`referrers/${subject}`)}`]: listed(made.descriptor.digest),
        [`GET ${at(`manifests/${made.descriptor.digest}`)}`]: { body: made.bytes },
      }),
    ).registry.referrers(repo, subject);
    expect([found.referrers, found.rejected.map((one) => one.reason)]).toEqual([[], [reason]]);
  });

  test.each<[string, Reply, string]>([
    ['gone', { status: 404 }, 'gone'],
    ['other bytes', { body: '{}' }, 'wrong-bytes'],
  ])('that are %s are rejected by name', async (_name, manifest, reason) => {
    const { rejected } = await list(listed(own.descriptor.digest), manifest);
    expect(rejected.map((one) => one.reason)).toEqual([reason]);
  });

  test('that cannot be asked for are an error: unknown is not absent', async () => {
    expect(await codeOf(list(listed(own.descriptor.digest), { status: 403 }))).toBe('registry/denied');
  });

  test('under a fallback tag that holds an image are none, and it is said why', async () => {
    const tag = subject.replace(':', '-');
    const { registry } = scripted(replies({ [`GET ${at(`manifests/${tag}`)}`]: { body: bytes } }));
    const { referrers, problem } = await registry.referrers(repo, subject);
    expect(referrers).toEqual([]);
    expect(problem).toContain('not an index');
  });
});
