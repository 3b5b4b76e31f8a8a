import { describe, expect, test } from 'vitest';
import { digestOf, mediaTypes, type Descriptor } from '../../src/core/index.ts';
import { answer, on } from '../support/registries/faults.ts';
import { noise } from '../support/registries/image.ts';
import { heads, manifests, stage } from './stage.ts';

describe('bytes that are not what they should be', () => {
  test('a manifest of 100 MB ends at once', async () => {
    const { registry, repo, misbehave } = await stage();
    misbehave(answer(manifests, 200, { 'content-length': String(100_000_000), 'content-type': mediaTypes.index }, '{'));
    const failing = registry.manifest({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({
      code: 'registry/too-large',
      facts: { found: '100000000 bytes announced' },
    });
  });

  test('a manifest of 100 MB that does not announce itself ends after 4 MiB', async () => {
    const { registry, repo, misbehave } = await stage();
    let sent = 0;
    misbehave((request, response, path) => {
      if (!manifests(request, path)) return false;
      response.writeHead(200, { 'content-type': mediaTypes.index });
      const more = (): void => {
        while (!response.destroyed && sent < 100_000_000) {
          sent += 1_000_000;
          if (!response.write(Buffer.alloc(1_000_000, 32))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
      return true;
    });
    await expect(registry.manifest({ ...repo, tag: 'v1' })).rejects.toMatchObject({ code: 'registry/too-large' });
    expect(sent).toBeLessThan(50_000_000);
  });

  test('a manifest with another digest than was asked for is refused', async () => {
    const { registry, image, repo, misbehave } = await stage();
    const other = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] });
    misbehave(answer(manifests, 200, { 'content-type': mediaTypes.index }, other));
    await expect(registry.manifest({ ...repo, digest: image.root.digest })).rejects.toMatchObject({
      code: 'registry/digest-mismatch',
      facts: { expected: image.root.digest, found: digestOf(other) },
    });
  });

  test('a body that is not what Docker-Content-Digest says is refused, also by tag', async () => {
    const { registry, image, repo, misbehave } = await stage();
    const other = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] });
    misbehave(
      answer(manifests, 200, { 'content-type': mediaTypes.index, 'docker-content-digest': image.root.digest }, other),
    );
    await expect(registry.manifest({ ...repo, tag: 'v1' })).rejects.toMatchObject({ code: 'registry/digest-mismatch' });
  });

  test('a HEAD by digest that answers with another digest is refused', async () => {
    const { registry, image, repo, misbehave } = await stage();
    const headers = {
      'content-type': mediaTypes.index,
      'content-length': '10',
      'docker-content-digest': digestOf('x'),
    };
    misbehave(answer(heads, 200, headers));
    await expect(registry.resolve({ ...repo, digest: image.root.digest })).rejects.toMatchObject({
      code: 'registry/digest-mismatch',
    });
  });

  test('HTML instead of a manifest is named as such', async () => {
    const { registry, repo, misbehave } = await stage();
    misbehave(answer(manifests, 200, { 'content-type': 'text/html' }, '<html>please log in</html>'));
    const failing = registry.manifest({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({ code: 'registry/unexpected-answer', facts: { found: 'text/html' } });
  });

  test('HTML instead of a tag list is named as such', async () => {
    const { registry, repo, misbehave } = await stage();
    misbehave(answer(on('GET', /tags\/list/), 200, { 'content-type': 'text/html' }, '<html>please log in</html>'));
    await expect(registry.tags(repo)).rejects.toMatchObject({
      code: 'registry/unexpected-answer',
      facts: { found: 'an HTML page' },
    });
  });

  test('HTML that calls itself a manifest is refused', async () => {
    const { registry, repo, misbehave } = await stage();
    misbehave(answer(manifests, 200, { 'content-type': mediaTypes.index }, '<html>please log in</html>'));
    const failing = registry.manifest({ ...repo, tag: 'v1' });
    await expect(failing).rejects.toMatchObject({
      code: 'registry/malformed-manifest',
      facts: { found: 'an HTML page' },
    });
  });

  test('a document that is a manifest inside and an index outside is refused', async () => {
    const { registry, repo, misbehave } = await stage();
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, manifests: [] });
    misbehave(answer(manifests, 200, { 'content-type': mediaTypes.index }, body));
    await expect(registry.manifest({ ...repo, tag: 'v1' })).rejects.toMatchObject({
      code: 'registry/malformed-manifest',
    });
  });

  test('a blob with wrong bytes never arrives whole', async () => {
    const { registry, image, repo, misbehave } = await stage();
    const blob = image.blobs[2] as Descriptor;
    const wrong = noise('other', blob.size);
    misbehave((request, response, path) => {
      if (!on('GET', /\/blobs\//)(request, path)) return false;
      response.writeHead(200, { 'content-length': String(wrong.length) }).end(wrong);
      return true;
    });
    let size = 0;
    const reading = (async () => {
      for await (const chunk of registry.blob(repo, blob)) size += (chunk as Buffer).length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'registry/digest-mismatch' });
    expect(size).toBeLessThan(blob.size);
  });

  test('a blob that is longer than its descriptor says is refused', async () => {
    const { registry, image, repo } = await stage();
    const blob = image.blobs[2] as Descriptor;
    const short = { ...blob, size: blob.size - 1 };
    await expect(registry.blob(repo, short).toArray()).rejects.toMatchObject({ code: 'registry/size-mismatch' });
  });
});
