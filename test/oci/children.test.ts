import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImagePlatform } from '../../src/core/index.ts';
import { openFileSource, parseSource, walkSource } from '../../src/oci/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { configOf, sha256, tar, temporaryDirectory } from './support.ts';

const host = fakeHost();
const layer = await tar([{ name: 'a', body: 'content' }]);
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';

interface Child {
  /** `linux/arm/v7`; the config has it, too. */
  readonly platform?: string;
  /** The descriptor does not say it. */
  readonly bare?: boolean;
  readonly configType?: string;
  readonly artifactType?: string;
}

function layout(children: readonly Child[]): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const put = (bytes: Buffer, mediaType: string) => {
    writeFileSync(join(directory, 'blobs/sha256', sha256(bytes).slice(7)), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const manifests = children.map((child) => {
    const [os, architecture, variant] = (child.platform ?? '').split('/');
    const platform = child.platform === undefined ? undefined : { os, architecture, variant };
    const image = configOf({ layers: [layer], config: platform ?? {} });
    const config = put(child.configType === undefined ? image : Buffer.from('{}'), child.configType ?? configType);
    const { artifactType } = child;
    const layers = [put(layer, 'application/vnd.oci.image.layer.v1.tar')];
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType, config, layers, n: serial++ }));
    return { ...put(manifest, manifestType), ...(child.bare === true ? {} : { platform }) };
  });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  const root = put(index, 'application/vnd.oci.image.index.v1+json');
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return directory;
}
let serial = 0;

async function walked(children: readonly Child[], platforms?: readonly ImagePlatform[]) {
  const others: string[] = [];
  const source = await openFileSource(host, parseSource(`oci:${layout(children)}`));
  const pictures = await walkSource(source, { platforms, onOther: ({ what }) => others.push(what) });
  return { checked: pictures.map(({ platform }) => platform), others };
}

const amd64: Child = { platform: 'linux/amd64' };
const arm64: Child = { platform: 'linux/arm64/v8' };
const helm: Child = { configType: 'application/vnd.cncf.helm.config.v1+json' };

describe('an index with more than images of our platforms', () => {
  it('is checked, and the rest is listed as what it is', async () => {
    const artifact: Child = {
      configType: 'application/vnd.oci.empty.v1+json',
      artifactType: 'application/vnd.example',
    };
    const bare: Child = { platform: 'linux/s390x', bare: true };
    const windows: Child = { platform: 'windows/amd64' };
    expect(await walked([helm, amd64, artifact, arm64, bare, windows])).toEqual({
      checked: ['linux/amd64', 'linux/arm64'],
      others: ['windows/amd64', 'a Helm chart', 'an artifact of type application/vnd.example', 'linux/s390x'],
    });
  });

  it('checks a child that only its config places', async () => {
    expect(await walked([amd64, { ...arm64, bare: true }])).toEqual({
      checked: ['linux/amd64', 'linux/arm64'],
      others: [],
    });
  });

  it('takes for an image what some engine runs, whatever the type of its config', async () => {
    await expect(walked([amd64, { configType: 'application/octet-stream' }])).rejects.toMatchObject({
      code: 'core/oci-shape',
    });
  });

  it('is an error where no image is in it, which says what is', async () => {
    await expect(walked([helm])).rejects.toMatchObject({ code: 'oci/platform', facts: { found: 'a Helm chart' } });
  });
});

describe('platforms by choice', () => {
  const children = [amd64, { platform: 'linux/amd64/v3' }, arm64, { platform: 'linux/arm/v7' }];

  it.each<[ImagePlatform[] | undefined, string[]]>([
    [undefined, ['linux/amd64', 'linux/amd64/v3', 'linux/arm64']],
    [['linux/arm/v7'], ['linux/arm/v7']],
    [['linux/arm'], ['linux/arm/v7']],
    [['linux/amd64/v3'], ['linux/amd64/v3']],
    [
      ['linux/amd64', 'linux/arm64'],
      ['linux/amd64', 'linux/arm64'],
    ],
  ])('%j', async (platforms, checked) => {
    expect((await walked(children, platforms)).checked).toEqual(checked);
  });

  it('that are not there are an error', async () => {
    await expect(walked(children, ['linux/arm/v6'])).rejects.toMatchObject({
      code: 'oci/platform',
      facts: { expected: 'linux/arm/v6' },
    });
  });
});
