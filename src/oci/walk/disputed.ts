import type { AppError } from '../../errors/index.ts';
import { enginesDiffer, type TarEntry } from '../tar/entry.ts';

const disputes = {
  belowPlnk: [
    'whiteout',
    'a path below .wh..wh.plnk',
    'umoci and overlay stores (podman, containerd) unpack it, vfs stores (podman, Docker) leave it out',
  ],
  throughLink: [
    'whiteout',
    'a whiteout that leads through a symlink',
    'overlay stores (podman, Docker) hide the link instead, umoci and containerd follow it',
  ],
  afterItsEntry: [
    'whiteout',
    'a whiteout after its own layer wrote what it names',
    'umoci keeps what this layer wrote, vfs stores (podman, Docker) remove it, overlay stores refuse the layer',
  ],
  inItsPlace: [
    'whiteout',
    'a directory in the place of one that its own layer hid',
    'overlay stores (podman, Docker, containerd) show the lower directory’s content again, umoci does not',
  ],
  linkBits: [
    'link',
    'a hard link with other setuid, setgid or sticky bits than its target',
    'umoci keeps the mode of the target, other engines set that of the link',
  ],
} as const;

/** disputed is the refusal of an entry that means different things to engines because of what is in the image. */
export function disputed(dispute: keyof typeof disputes, entry: string): AppError {
  const [code, message, engines] = disputes[dispute];
  return enginesDiffer(code, entry, message, engines);
}

/** Overlay file systems take these from any layer: content comes from elsewhere, or goes. */
const overlayAttribute = /^(?:trusted|user)\.(?:overlay|fuseoverlayfs)\./;
/** What git and Go's and GNU's tar call a global header; no image has such files. */
const globalName = /^(?:pax_global_header|GlobalHead\.[0-9]+\.[0-9]+)$/;

/** refuseDisputed throws for an entry whose own header has engines unpack different file systems. */
export function refuseDisputed(entry: TarEntry): void {
  if (entry.type === 'character' && entry.devMajor === 0 && entry.devMinor === 0) {
    const engines =
      'in an overlay (podman, Docker, containerd) it hides what lies below, umoci and vfs stores make a device';
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
