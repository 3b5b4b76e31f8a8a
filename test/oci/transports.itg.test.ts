import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../src/core/index.ts';
import {
  createLayout,
  importArchive,
  openFileSource,
  parseSource,
  walkSource,
  writeImageIndex,
} from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { chunks, dockerArchive, tar, temporaryDirectory } from './support.ts';

const host = fakeHost();
const small = await tar([{ name: 'a', body: 'content' }]);

describe('dir:', () => {
  it('reads a directory as skopeo copies it, with every platform of a list', async () => {
    const directory = temporaryDirectory();
    const layout = await createLayout(host, join(directory, 'layout'));
    const descriptors: Descriptor[] = [];
    for (const [platform, architecture] of [
      ['linux/amd64', 'amd64'],
      ['linux/arm64', 'arm64'],
    ] as const) {
      const archive = await dockerArchive({ layers: [small], architecture });
      const image = await importArchive(host, layout, chunks(archive), { platform, sourceDateEpoch: 1 });
      descriptors.push(image.descriptor);
    }
    await writeImageIndex(layout, descriptors, {}, 'latest');
    const copy = ['copy', '--all', `oci:${directory}/layout:latest`, `dir:${directory}/dir`];
    execFileSync('skopeo', ['--insecure-policy', ...copy], { stdio: 'ignore' });
    const pictures = await walkSource(await openFileSource(host, parseSource(`dir:${directory}/dir`)));
    expect(pictures.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    await expect(openFileSource(host, parseSource(`dir:${directory}`))).rejects.toMatchObject({
      code: 'oci/reference',
    });
  });
});
