import { archive, pax, raw } from '../hostile/raw.ts';
import { member } from './header.ts';

/** DisputedCase is an image that engines unpack to different trees, and how the refusal of it begins. */
export interface DisputedCase {
  readonly what: string;
  readonly layers: readonly Buffer[];
  readonly code: string;
  readonly found: string;
}

const file = (name: string) => raw({ name, body: 'x' });
const directory = (name: string) => raw({ name, flag: '5', mode: 0o755 });
export const lower = archive(directory('d/'), file('d/lower'), file('f'), raw({ name: 'to', flag: '2', link: 'd' }));

const over = (what: string, code: string, found: string, ...members: readonly Buffer[]): DisputedCase => ({
  ...{ what, code: `oci/tar-${code}`, found },
  layers: [lower, archive(...members)],
});
const attribute = (name: string, value: string) => pax({ [`SCHILY.xattr.${name}`]: value });

export const disputedCases: readonly DisputedCase[] = [
  over('a whiteout after its file', 'whiteout', '".wh.f": umoci', file('f'), file('.wh.f')),
  over('a whiteout after its directory', 'whiteout', '".wh.d": umoci', directory('d/'), file('.wh.d')),
  over('a whiteout after what lies below', 'whiteout', '".wh.d": umoci', file('d/new'), file('.wh.d')),
  over('a directory after its whiteout', 'whiteout', '"d/": overlay', file('.wh.d'), directory('d/')),
  over('a whiteout through a link', 'whiteout', '"to/.wh.lower": overlay', file('to/.wh.lower')),
  over('an opaque marker through a link', 'whiteout', '"to/.wh..wh..opq": overlay', file('to/.wh..wh..opq')),
  over('a file of .wh..wh.plnk', 'whiteout', '".wh..wh.plnk/1.2": umoci', file('.wh..wh.plnk/1.2')),
  over('a global header with a path', 'global', '"f": podman', pax({ path: 'f' }, 'g')),
  over(
    'a global header in a folder',
    'global',
    '"tmp/GlobalHead.1.1": podman',
    raw({ name: 'tmp/GlobalHead.1.1', flag: 'g' }),
  ),
  over('a device 0:0', 'device', '"f": in an overlay', member({ name: 'f', flag: '3' })),
  over(
    'an opaque attribute',
    'xattr',
    '"d/": in an overlay',
    attribute('trusted.overlay.opaque', 'y'),
    directory('d/'),
  ),
  over(
    'a redirecting attribute',
    'xattr',
    '"e/": in an overlay',
    attribute('trusted.overlay.redirect', '/d'),
    directory('e/'),
  ),
  over(
    'a hard link that takes a setuid bit away',
    'link',
    '"b": umoci keeps',
    raw({ name: 'su', mode: 0o4755 }),
    raw({ name: 'b', flag: '1', link: 'su', mode: 0o755 }),
  ),
];
