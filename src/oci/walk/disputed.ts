import { enginesDiffer, type TarEntry } from '../tar/entry.ts';

/** Overlay file systems take these from whoever set them: content comes from elsewhere, or goes. */
const overlayAttribute = /^(?:trusted|user)\.(?:overlay|fuseoverlayfs)\./;
/** What git and Go's and GNU's tar call a global header; no image has such files. */
const globalName = /^(?:pax_global_header|GlobalHead\.[0-9]+\.[0-9]+)$/;

/** refuseDisputed throws for an entry whose own header has engines unpack different file systems. */
export function refuseDisputed(entry: TarEntry): void {
  if (entry.type === 'character' && entry.devMajor === 0 && entry.devMinor === 0) {
    const engines = 'in an overlay (podman, Docker, containerd) it hides what lies below, umoci makes a device';
    throw enginesDiffer('device', entry.name, 'a character device 0:0 is a whiteout for some engines', engines);
  }
  for (const name of entry.xattrs?.keys() ?? []) {
    if (!overlayAttribute.test(name)) continue;
    const engines =
      'in an overlay (podman, Docker, containerd) it changes what is seen below, umoci sets or ignores it';
    throw enginesDiffer(
      'xattr',
      entry.name,
      `the extended attribute ${JSON.stringify(name)} steers an overlay`,
      engines,
    );
  }
}

/** refuseDisputedGlobal throws for a global PAX header whose name engines would take for a path of the image. */
export function refuseDisputedGlobal(name: string): void {
  if (globalName.test(name)) return;
  const engines =
    'podman, Docker and containerd remove what is at its path and make its folder, umoci refuses the layer';
  throw enginesDiffer('global', name, 'a global PAX header with the name of a path', engines);
}
