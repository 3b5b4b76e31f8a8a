import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text, buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract, pack, type Pack } from 'tar-stream';
import type { Deb } from '../apt.ts';
import { closure } from '../closure.ts';
import { listOf, statusOf } from '../dpkg.ts';
import { addEntry, debEntries, directory, file, isDocumentation, symlink } from '../entries.ts';
import { rpmCounterparts } from '../packages.ts';

type Debs = ReadonlyMap<string, Deb>;

/** npm's own package under /usr/lib/node_modules, with the prefix that RHEL's packages set. */
async function addNpm(archive: Pack, tarball: string): Promise<void> {
  const root = 'usr/lib/node_modules/npm';
  await addEntry(archive, directory('usr/lib/node_modules'));
  for await (const part of createReadStream(tarball).pipe(createGunzip()).pipe(extract())) {
    const content = await buffer(part);
    const path = part.header.name.replace(/^package\//, '');
    const executable = /^bin\/np[mx]-cli\.js$/.test(path) ? 0o755 : 0o644;
    if (part.header.type === 'file' && !path.startsWith('docs/') && !path.startsWith('man/'))
      await addEntry(archive, file(`${root}/${path}`, content, executable));
  }
  for (const name of ['npm', 'npx'])
    await addEntry(archive, symlink(`usr/bin/${name}`, `../lib/node_modules/npm/bin/${name}-cli.js`));
  await addEntry(archive, directory('usr/etc'));
  await addEntry(archive, file('usr/etc/npmrc', 'prefix=/usr/local\n'));
}

/** The names among `debs` and `rpms` come as words: `rpm:gcc` carries links, `gcc-14` is a package. */
async function download(debs: Debs, tarball: string, words: string[], response: ServerResponse): Promise<void> {
  const [nodocs, ...names] = words;
  const archive = pack();
  archive.pipe(response.writeHead(200, { 'content-type': 'application/x-tar' }));
  const added: Deb[] = [];
  for (const name of names) {
    const counterpart = name.startsWith('rpm:') ? rpmCounterparts[name.slice(4)] : undefined;
    for (const [path, target] of Object.entries(counterpart?.links ?? {}))
      await addEntry(archive, symlink(path.slice(1), target));
    if (counterpart?.npm === true) await addNpm(archive, tarball);
    const deb = debs.get(name);
    if (deb === undefined) continue;
    const paths: string[] = [];
    for await (const entry of debEntries(deb)) {
      if (nodocs === 'true' && isDocumentation(entry.path)) continue;
      paths.push(entry.path);
      await addEntry(archive, entry);
    }
    await addEntry(archive, listOf(deb, paths));
    added.push(deb);
  }
  await addEntry(archive, file('var/lib/dpkg/lab-status', statusOf(added)));
  archive.finalize();
}

/** dnf answers the lab's dnf: which packages a wish needs, and their files as one tar. */
export async function dnf(
  debs: Debs,
  tarball: string,
  action: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [first = '', ...installed] = (await text(request)).trim().split('\n');
  const words = first.split(/\s+/).filter((word) => word !== '');
  if (action === 'download') {
    await download(debs, tarball, words, response);
    return;
  }
  const [, ...names] = words;
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
  const missing = closure(debs, wanted).filter((deb) => !there.has(deb.name));
  const extras = names.filter((name) => rpmCounterparts[name]?.links !== undefined || rpmCounterparts[name]?.npm);
  response.end([...missing.map((deb) => deb.name), ...extras.map((name) => `rpm:${name}`)].join('\n'));
}
