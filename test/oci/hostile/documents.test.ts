import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngineArchive, openFileSource, parseSource, walkSource } from '../../../src/oci/index.ts';
import { readNode } from '../../../src/registry/node.ts';
import { fakeHost } from '../../support/fake-host.ts';
import { chunks, configOf, sha256, tar, temporaryDirectory } from '../support.ts';

const host = fakeHost();
const layer = await tar([{ name: 'a', body: 'content' }]);
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

type Edit = (text: string) => string;
interface Edits {
  readonly config?: Edit;
  readonly manifest?: Edit;
  readonly index?: Edit;
  readonly marker?: Edit;
  readonly docker?: Edit;
  /** Members of the index's only entry. */
  readonly entry?: object;
}
const same: Edit = (text) => text;

/** The same image as a layout, a tar of it, and what `docker save` writes; documents are edited as text. */
async function stored(edits: Edits) {
  const { config = same, manifest = same, index = same, marker = same, docker = same, entry = {} } = edits;
  const blobs = new Map<string, Buffer>();
  const put = (bytes: Buffer, mediaType: string) => {
    blobs.set(`blobs/sha256/${sha256(bytes).slice(7)}`, bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const configBytes = Buffer.from(config(configOf({ layers: [layer] }).toString()));
  const configBlob = put(configBytes, 'application/vnd.oci.image.config.v1+json');
  const layers = [put(layer, 'application/vnd.oci.image.layer.v1.tar')];
  const manifestBytes = Buffer.from(manifest(JSON.stringify({ schemaVersion: 2, config: configBlob, layers })));
  const child = { ...put(manifestBytes, manifestType), ...entry };
  const nested = put(Buffer.from(index(JSON.stringify({ schemaVersion: 2, manifests: [child] }))), indexType);
  const members = [
    ...[...blobs].map(([name, body]) => ({ name, body })),
    { name: 'oci-layout', body: marker('{"imageLayoutVersion":"1.0.0"}') },
    { name: 'index.json', body: JSON.stringify({ schemaVersion: 2, manifests: [nested] }) },
  ];
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'layout/blobs/sha256'), { recursive: true });
  for (const { name, body } of members) writeFileSync(join(directory, 'layout', name), body);
  const oci = await tar(members);
  writeFileSync(join(directory, 'oci.tar'), oci);
  const saved = await tar([
    { name: 'config.json', body: configBytes },
    { name: 'layer.tar', body: layer },
    { name: 'manifest.json', body: docker('[{"Config":"config.json","RepoTags":["x:1"],"Layers":["layer.tar"]}]') },
  ]);
  writeFileSync(join(directory, 'docker.tar'), saved);
  return { directory, oci, saved };
}

async function outcomes(edits: Edits, kinds = ['oci', 'oci-archive', 'docker-archive', 'daemon', 'daemon-oci']) {
  const { directory, oci, saved } = await stored(edits);
  const files = { oci: 'layout', 'oci-archive': 'oci.tar', 'docker-archive': 'docker.tar' };
  const walk = async (kind: string) => {
    if (kind.startsWith('daemon')) {
      const source = await openEngineArchive(host, { name: kind, bytes: chunks(kind === 'daemon' ? saved : oci) });
      return walkSource(source).finally(() => source.close());
    }
    const reference = `${kind}:${directory}/${files[kind as 'oci']}`;
    return walkSource(await openFileSource(host, parseSource(reference)));
  };
  const found = await Promise.all(
    kinds.map(async (kind): Promise<[string, string]> => [
      kind,
      await walk(kind).then(
        (pictures) => `${pictures.length} checked`,
        (error: unknown) => (error as { code?: string }).code ?? String(error),
      ),
    ]),
  );
  return Object.fromEntries(found);
}

const all = (outcome: string, kinds = ['oci', 'oci-archive', 'docker-archive', 'daemon', 'daemon-oci']) =>
  Object.fromEntries(kinds.map((kind) => [kind, outcome]));
const ociKinds = ['oci', 'oci-archive', 'daemon-oci'];

describe('the same documents from every source', () => {
  it('are read when nothing is wrong with them', async () => {
    expect(await outcomes({})).toEqual(all('1 checked'));
  });

  it.each<[string, Edits, string[]?]>([
    ['User and user in the config', { config: (text) => text.replace('{', '{"config":{"User":"1000","user":"0"},') }],
    ['config twice in the config', { config: (text) => text.replace('{', '{"config":{"User":"0"},"config":{},') }],
    ['user alone in the config', { config: (text) => text.replace('{', '{"config":{"user":"0"},') }],
    ['layers and Layers', { manifest: (text) => text.replace('{', '{"Layers":[],') }, ociKinds],
    ['a digest twice', { manifest: (text) => text.replace('"size"', '"Digest":"x","size"') }, ociKinds],
    ['manifests and Manifests', { index: (text) => text.replace('{', '{"Manifests":[],') }, ociKinds],
    [
      'the version of the layout twice',
      { marker: (text) => text.replace('{', '{"imagelayoutversion":"9",') },
      ociKinds,
    ],
    [
      'Layers and layers in manifest.json',
      { docker: (text) => text.replace('{', '{"layers":[],') },
      ['docker-archive', 'daemon'],
    ],
  ])('%s are refused', async (_name, edits, kinds) => {
    expect(await outcomes(edits, kinds)).toEqual(all('core/json-keys', kinds));
  });

  it.each<[string, Edits]>([
    ['a manifest with manifests', { manifest: (text) => text.replace('{', '{"manifests":[],') }],
    ['an index with layers', { index: (text) => text.replace('{', '{"layers":[],') }],
  ])('%s is refused', async (_name, edits) => {
    expect(await outcomes(edits, ociKinds)).toEqual(all('core/oci-two-kinds', ociKinds));
  });

  it('are refused by the registry client, too', () => {
    const read = (text: string) => () => readNode(Buffer.from(text), undefined, 'it');
    expect(read('{"schemaVersion":2,"layers":[],"Layers":[]}')).toThrow('names one member twice');
    expect(read('{"schemaVersion":2,"manifests":[],"layers":[]}')).toThrow('two kinds');
    expect(read('{"schemaVersion":2,"manifests":null}')()).toMatchObject({ $case: 'index', children: [] });
  });

  it('name the file, line and column', async () => {
    const { directory } = await stored({ config: (text) => text.replace('{', '{"config":\n{"User":"1","user":"0"},') });
    const source = await openFileSource(host, parseSource(`oci:${directory}/layout`));
    const error = await walkSource(source).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      facts: {
        found: '$.config.user (2:13) beside $.config.User (2:2)',
        where: { file: expect.stringContaining('/layout/blobs/sha256/') as string, line: 2, column: 13 },
      },
    });
  });
});

describe('an entry that is annotated as an attestation', () => {
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };

  it.each([
    ['of a real platform', { annotations, platform: { os: 'linux', architecture: 'amd64' } }],
    ['without a platform', { annotations }],
    ['half unknown', { annotations, platform: { os: 'linux', architecture: 'amd64', variant: 'unknown' } }],
  ])('%s is an image and is checked', async (_name, entry) => {
    expect(await outcomes({ entry }, ociKinds)).toEqual(all('1 checked', ociKinds));
  });

  it('of the platform unknown/unknown is none', async () => {
    const entry = { annotations, platform: { os: 'unknown', architecture: 'unknown' } };
    expect(await outcomes({ entry }, ociKinds)).toEqual(all('oci/platform', ociKinds));
  });
});
