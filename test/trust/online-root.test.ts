import { TrustedRoot } from '@sigstore/protobuf-specs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { onlineRoot } from '../../src/flows/trust/index.ts';
import { readTrustedRoot } from '../../src/sigstore/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { newKeyPair } from '../../src/lab/sigstore/keys.ts';
import { trustedRoot } from '../../src/lab/sigstore/trusted-root.ts';

const getTrustedRoot = vi.fn<NonNullable<Parameters<typeof onlineRoot>[1]>>();

/** What the client of The Update Framework hands over when every signature of its metadata held. */
const root = TrustedRoot.fromJSON(
  trustedRoot({
    url: 'https://rekor.example',
    since: new Date(0),
    fulcio: Buffer.alloc(0),
    rekor: newKeyPair().publicKey,
    ct: newKeyPair().publicKey,
    tsa: [],
  }),
);

describe('the public trust root', () => {
  beforeEach(() => {
    getTrustedRoot.mockReset();
  });

  test('is asked of TUF with a cache of its own, and is what a trusted_root.json would say', async () => {
    getTrustedRoot.mockResolvedValue(root);
    const text = await onlineRoot(fakeHost({ env: { XDG_CACHE_HOME: '/cache', HOME: '/home/me' } }), getTrustedRoot);
    expect(getTrustedRoot).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ cachePath: '/cache/openshell-runner-images/tuf' }),
    );
    expect(TrustedRoot.fromJSON(JSON.parse(text))).toEqual(root);
    expect((JSON.parse(text) as { mediaType: string }).mediaType).toContain('trustedroot');
  });

  test('that cannot be fetched is an error that says what works without a network, never an empty root', async () => {
    getTrustedRoot.mockRejectedValue(new Error('getaddrinfo ENOTFOUND'));
    await expect(onlineRoot(fakeHost({ env: { HOME: '/home/me' } }), getTrustedRoot)).rejects.toMatchObject({
      code: 'trust/online',
      exit: 3,
      facts: { hint: expect.stringContaining('--trusted-root') as string },
    });
  });

  test('is kept in a folder of its own, for one run, where there is no home', async () => {
    getTrustedRoot.mockResolvedValue(root);
    const host = fakeHost({ env: {} });
    const paths: string[] = [];
    for (let run = 0; run < 2; run += 1) await onlineRoot(host, getTrustedRoot);
    for (const [options] of getTrustedRoot.mock.calls) paths.push(options?.cachePath ?? '');
    expect(new Set(paths).size).toBe(2);
    for (const path of paths) {
      expect(path).not.toContain('/tmp/.cache');
      expect(await host.files.stat(path)).toBeUndefined();
    }
  });

  test('that names nobody would be refused like any other', async () => {
    getTrustedRoot.mockResolvedValue({ ...root, tlogs: [], ctlogs: [] });
    const text = await onlineRoot(fakeHost({ env: {} }), getTrustedRoot);
    await expect(readTrustedRoot(text)).rejects.toMatchObject({ code: 'sigstore/trusted-root' });
  });
});
