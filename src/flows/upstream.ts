import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { maxYamlBytes, readUpstream } from '../config/index.ts';
import type { Definitions, Finding, LineRange, UpstreamRecord } from '../core/index.ts';
import { allInstructions } from '../dockerfile/read/model.ts';
import { readDockerfile } from '../dockerfile/read/read.ts';
import { fragmentNames, renderDockerfile } from '../dockerfile/render.ts';
import { AppError } from '../errors/index.ts';
import { Git, type Host } from '../host/index.ts';
import { compareUpstream, verifyUpstream, type ImageParts, type UpstreamClone } from '../pins/index.ts';

const file = 'images/upstream.yaml';

async function readRecord(host: Host, root: string): Promise<UpstreamRecord | undefined> {
  const path = join(root, file);
  if ((await host.files.stat(path))?.type !== 'file') return undefined;
  return readUpstream(await host.files.readText(path, maxYamlBytes), file).value;
}

function imageParts(definitions: Definitions): readonly ImageParts[] {
  return definitions.images.map((image) => {
    const rendered = image.variants.map((variant) => renderDockerfile(definitions, image, variant));
    const names = new Set(image.variants.flatMap((variant) => fragmentNames(image, variant)));
    const fragments = [...names].map((name): [string, string] => {
      const fragment = definitions.fragments.get(name);
      return [name, `${fragment?.stage?.text ?? ''}${fragment?.final?.text ?? ''}`];
    });
    const dynamic = rendered.flatMap(({ text }) =>
      [...text.matchAll(/^ {4}([a-z0-9._/-]+)="/gm)].map(([, key]) => key),
    );
    return {
      image: image.image,
      fragments: new Map(fragments),
      files: new Set(rendered.flatMap(({ files }) => files.map(({ path }) => `images/${image.image}/${path}`))),
      pins: new Set(rendered.flatMap(({ pins }) => pins.map(({ name }) => name))),
      labels: new Set(dynamic.filter((key) => key !== undefined)),
      omitted: new Set([...image.omitted, ...image.variants.flatMap(({ omitted }) => omitted)].map(({ name }) => name)),
    };
  });
}

/** Git's object id of a file (gitformat-pack): SHA-1 over `blob <size>`, a zero byte and the content. */
const blobId = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');

async function sameObjects(host: Host, root: string, record: UpstreamRecord): Promise<Map<string, string>> {
  const accounts = [...record.files, ...record.dockerfiles.flatMap(({ instructions }) => instructions)];
  const paths = accounts.flatMap(({ by }) =>
    by.flatMap((one) => ('file' in one && one.same === true ? [one.file] : [])),
  );
  const objects = new Map<string, string>();
  for (const path of new Set(paths)) {
    if ((await host.files.stat(join(root, path)))?.type !== 'file') continue;
    objects.set(path, blobId(await host.files.read(join(root, path), 1024 * 1024)));
  }
  return objects;
}

function instructionsOf(text: string): { keyword: string; digest: string; lines: LineRange }[] {
  return [...allInstructions(readDockerfile(text))].map(
    ({ instruction: { keyword, written, firstLine, lastLine } }) => ({
      keyword,
      digest: createHash('sha256').update(written).digest('hex').slice(0, 16),
      lines: [firstLine, lastLine] as const,
    }),
  );
}

/** readClone reads upstream's folder at the commit that is checked out in a clone (bare ones have HEAD, too). */
async function readClone(host: Host, record: UpstreamRecord, directory: string): Promise<UpstreamClone> {
  const git = new Git(host, { directory, code: 'upstream/clone' });
  const ask = async (revision: string): Promise<string> => {
    const found = await git.ask(['rev-parse', '--verify', '--quiet', revision]);
    if (found !== undefined) return found.trim();
    throw new AppError('upstream/clone', 'usage', `the folder is no clone of upstream with ${record.path}`, {
      expected: `a clone of ${record.repository}`,
      where: { file: directory },
      hint: `git clone ${record.repository}`,
    });
  };
  const commit = await ask('HEAD');
  const folder = `${commit}:${record.path}`;
  const tree = await ask(folder);
  const listed = await git.run(['ls-tree', '-z', folder], `list ${record.path}`);
  const files = listed.split('\0').flatMap((line) => {
    const [, object, path] = /^\d+ \w+ ([0-9a-f]+)\t([^]+)$/.exec(line) ?? [];
    return object === undefined || path === undefined ? [] : [{ path, object }];
  });
  const instructions = new Map<string, ReturnType<typeof instructionsOf>>();
  for (const { path, object } of files)
    if (record.dockerfiles.some((one) => one.file === path))
      instructions.set(path, instructionsOf(await git.run(['cat-file', 'blob', object], `read ${path}`)));
  return { commit, tree, files, instructions };
}

/**
 * upstreamFindings holds images/upstream.yaml against the definitions, and, where `clone` names a clone of upstream,
 * against what is checked out there. A project without the record has none.
 */
export async function upstreamFindings(
  host: Host,
  root: string,
  definitions: Definitions,
  clone?: string,
): Promise<readonly Finding[]> {
  const record = await readRecord(host, root);
  if (record === undefined) {
    if (clone === undefined) return [];
    throw new AppError('upstream/no-record', 'usage', `the project has no ${file}`, { hint: 'leave out --upstream' });
  }
  const objects = await sameObjects(host, root, record);
  const own = verifyUpstream({ file, record, images: imageParts(definitions), objects });
  if (clone === undefined) return own;
  return [...own, ...compareUpstream(file, record, await readClone(host, record, clone))];
}
