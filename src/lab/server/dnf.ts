import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text, buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { Deb } from '../apt.ts';
import { closure } from '../closure.ts';
import { listOf, statusOf } from '../dpkg.ts';
import { file, sorted, symlink, tarOf, type TarEntry } from '../entries.ts';
import { rpmCounterparts } from '../packages.ts';
import type { UnpackedDebs } from './unpacked.ts';

export interface Source {
  readonly debs: ReadonlyMap<string, Deb>;
  readonly unpacked: UnpackedDebs;
  readonly npmTarball: string;
}

/** npm's own package under /usr/lib/node_modules, with the prefix that RHEL's packages set. */
async function npmEntries(tarball: string): Promise<TarEntry[]> {
  const root = 'usr/lib/node_modules/npm';
  const entries: TarEntry[] = [];
  for await (const part of createReadStream(tarball).pipe(createGunzip()).pipe(extract())) {
    const content = await buffer(part);
    const path = part.header.name.replace(/^package\//, '');
    const executable = /^bin\/np[mx]-cli\.js$/.test(path) ? 0o755 : 0o644;
    if (part.header.type === 'file' && !path.startsWith('docs/') && !path.startsWith('man/'))
      entries.push(file(`${root}/${path}`, content, executable));
  }
  for (const name of ['npm', 'npx'])
    entries.push(symlink(`usr/bin/${name}`, `../lib/node_modules/npm/bin/${name}-cli.js`));
  return [...entries, file('usr/etc/npmrc', 'prefix=/usr/local\n')];
}

async function bytesOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const bytes = await buffer(tarOf(entries));
  return bytes.subarray(0, bytes.length - 1024);
}

/**
 * Sends first every directory, once, then the packages' files: GNU tar sets a directory's mode
 * when it is done with it, and a second mention of the same one would come in between. The names
 * come as words: `rpm:gcc` carries links, `gcc-14` is a package.
 */
async function download(source: Source, names: readonly string[], response: ServerResponse): Promise<void> {
  const debs = names.flatMap((name) => source.debs.get(name) ?? []);
  const unpacked = await Promise.all(debs.map(async (deb) => ({ deb, ...(await source.unpacked.get(deb)) })));
  const directories = new Map(unpacked.flatMap((one) => one.directories.map((entry) => [entry.path, entry] as const)));
  const rest = unpacked.map(({ deb, paths }) => listOf(deb, paths));
  for (const name of names) {
    const counterpart = name.startsWith('rpm:') ? rpmCounterparts[name.slice(4)] : undefined;
    for (const [path, target] of Object.entries(counterpart?.links ?? {})) rest.push(symlink(path.slice(1), target));
    if (counterpart?.npm === true) rest.push(...(await npmEntries(source.npmTarball)));
  }
  rest.push(file('var/lib/dpkg/lab-status', statusOf(debs)));
  response.writeHead(200, { 'content-type': 'application/x-tar' });
  response.write(await bytesOf(sorted(directories.values())));
  for (const { tar, size } of unpacked)
    if (size > 0) await pipeline(createReadStream(tar, { end: size - 1 }), response, { end: false });
  response.end(Buffer.concat([await bytesOf(rest), Buffer.alloc(1024)]));
}

/** dnf answers the lab's dnf: which packages a wish needs, and their files as one tar. */
export async function dnf(
  source: Source,
  action: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [first = '', ...installed] = (await text(request)).trim().split('\n');
  const names = first.split(/\s+/).filter((word) => word !== '');
  if (action === 'download') {
    await download(source, names, response);
    return;
  }
  const unknown = names.filter((name) => rpmCounterparts[name] === undefined);
  if (unknown.length > 0) {
    const lines = unknown.map((name) => `No match for argument: ${name}\n`).join('');
    response.writeHead(404).end(`${lines}Error: Unable to find a match: ${unknown.join(' ')}\n`);
    return;
  }
  const wanted = names.flatMap((name) => rpmCounterparts[name]?.debs ?? []);
  if (action === 'remove') {
    response.end(`${wanted.join('\n')}\n`);
    return;
  }
  const there = new Set(installed);
  const missing = closure(source.debs, wanted).filter((deb) => !there.has(deb.name));
  const extras = names.filter((name) => rpmCounterparts[name]?.links !== undefined || rpmCounterparts[name]?.npm);
  response.end([...missing.map((deb) => deb.name), ...extras.map((name) => `rpm:${name}`)].join('\n'));
}
