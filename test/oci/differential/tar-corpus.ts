import { base256, end, extension, longName, magics, member, octal, record, type Records } from './header.ts';
import { Random } from './random.ts';

/**
 * The corpus that Go's archive/tar was asked about (test/fixtures/record-go-tar.ts): cases made by hand, one for
 * each turn of a tar reader, and random ones from one seed. Changing anything here means recording anew.
 */
export interface CorpusCase {
  readonly name: string;
  readonly bytes: Buffer;
}

const tar = (...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat([...parts.map((part) => Buffer.from(part)), end]);
const backdoor = member({ name: 'usr/bin/backdoor', mode: octal(0o4755, 8), body: 'elf' });
const file = (name: string, body = 'x') => member({ name, body });
const sparse1 = (map: string, data: string, extra: Records = [], more = {}): Buffer => {
  const head = Buffer.alloc(Math.ceil(map.length / 512) * 512);
  head.write(map);
  return tar(
    extension([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'sparse'],
      ['GNU.sparse.realsize', '2000'],
      ...extra,
    ]),
    member({ name: 'GNUSparseFile.0/sparse', body: Buffer.concat([head, Buffer.from(data)]), ...more }),
    file('after'),
  );
};
const sparse0 = (records: Records, data: string): Buffer =>
  tar(extension(records), member({ name: 'sparse', body: data }), file('after'));

const byHand: Readonly<Record<string, Buffer>> = {
  'x, g, entry': tar(extension([['path', 'usr/share/readme']]), extension([['comment', 'c']], 'g'), backdoor),
  'x with a size, g, entry': tar(
    extension([['size', '1024']]),
    extension([['comment', 'c']], 'g'),
    backdoor,
    file('b'),
  ),
  'L, g, entry': tar(longName('usr/share/readme'), extension([['comment', 'c']], 'g'), backdoor),
  'K, g, symlink': tar(longName('to', 'K'), extension([], 'g'), member({ name: 'a', flag: '2', link: 'own' })),
  'g with a path': tar(
    extension(
      [
        ['path', 'etc/passwd'],
        ['uid', '7'],
      ],
      'g',
      'global',
    ),
    file('a'),
  ),
  'g with a bad time': tar(extension([['mtime', 'noon']], 'g'), file('a')),
  'g at the end': tar(file('a'), extension([['comment', 'c']], 'g')),
  'x twice': tar(
    extension([
      ['path', 'one'],
      ['uid', '5'],
    ]),
    extension([['path', 'two']]),
    file('a'),
  ),
  'x then L': tar(extension([['path', 'pax']]), longName('gnu'), file('a')),
  'L then x': tar(longName('gnu'), extension([['path', 'pax']]), file('a')),
  'L twice': tar(longName('one'), longName('two'), file('a')),
  'L empty': tar(longName(''), file('own/name')),
  'K empty': tar(longName('', 'K'), member({ name: 'a', flag: '2', link: 'own' })),
  'L without content': tar(member({ name: 'L', flag: 'L', magic: magics.gnu }), file('own')),
  'x at the end': tar(extension([['path', 'a']])),
  'L at the end without an end marker': longName('a'),
  'x without content': tar(member({ name: 'x', flag: 'x' }), file('a')),
  'GNU with a prefix of letters': tar(member({ name: 'sudoers', magic: magics.gnu, prefix: 'etc' })),
  'GNU with a prefix of octal digits': tar(member({ name: 'a', magic: magics.gnu, prefix: '123' })),
  'GNU with a prefix that is not ASCII': tar(member({ name: 'a', magic: magics.gnu, prefix: '\xe9tc' })),
  'GNU with a change time of letters': tar(member({ name: 'a', magic: magics.gnu, prefix: `${octal(7)}\0noon` })),
  'GNU with times in base 256': tar(member({ name: 'a', magic: magics.gnu, prefix: base256(2n ** 60n) })),
  'GNU magic of another version': tar(member({ name: 'a', magic: 'ustar 00', prefix: 'p' })),
  'ustar with a prefix': tar(member({ name: 'a', prefix: 'p/q' })),
  'ustar of version 1': tar(member({ name: 'a', magic: 'ustar\u000001', prefix: 'p' })),
  'star with a prefix of 131 bytes': tar(
    member({ name: 'a', prefix: 'p'.repeat(140), trailer: '\0'.repeat(8) + 'tar\0' }),
  ),
  'star with times of letters': tar(member({ name: 'a', prefix: 'p'.repeat(155), trailer: '\0'.repeat(8) + 'tar\0' })),
  'V7 with a prefix': tar(member({ name: 'a', magic: magics.v7, prefix: 'p' })),
  'V7 directory by its slash': tar(member({ name: 'd/', flag: '\0', magic: magics.v7, size: octal(512) }), file('a')),
  'flag NUL with a long name and a slash': tar(longName('d/'), member({ name: 'f', flag: '\0', body: 'x' })),
  'a file with a slash': tar(member({ name: 'f/', body: 'x' })),
  'device numbers of letters on a file': tar(member({ name: 'a', devMajor: 'xx' })),
  'device numbers on a file': tar(member({ name: 'a', devMajor: octal(8, 8), devMinor: octal(1, 8) })),
  'device numbers on a device': tar(member({ name: 'a', flag: '3', devMajor: octal(8, 8), devMinor: octal(1, 8) })),
  'device numbers of V7': tar(member({ name: 'a', flag: '3', magic: magics.v7, devMajor: 'xx' })),
  'numbers with blanks around': tar(member({ name: 'a', uid: '  644 \0', gid: '\x005 \0 \0 ' })),
  'numbers with a blank within': tar(member({ name: 'a', uid: '1 2' })),
  'numbers with a NUL within': tar(member({ name: 'a', uid: '1\x002' })),
  'numbers without an end': tar(member({ name: 'a', mode: '00000644', size: '000000000000' })),
  'numbers that are 8 and 9': tar(member({ name: 'a', uid: '89' })),
  'a negative size': tar(member({ name: 'a', size: base256(-1n) })),
  'a negative size of a directory': tar(member({ name: 'a', flag: '5', size: base256(-1n) }), file('b')),
  'a negative size of x': tar(member({ name: 'a', flag: 'x', size: base256(-1n) })),
  'a size beyond 53 bits of a directory': tar(member({ name: 'a', flag: '5', size: base256(2n ** 60n) })),
  'a size beyond 63 bits': tar(member({ name: 'a', size: base256(2n ** 63n) })),
  'a size beyond 64 bits': tar(member({ name: 'a', size: base256(2n ** 70n) })),
  'a mode below zero': tar(member({ name: 'a', mode: base256(-1n, 8) })),
  'a user beyond 32 bits': tar(member({ name: 'a', uid: base256(2n ** 33n, 8) })),
  'a mtime below zero': tar(member({ name: 'a', mtime: base256(-5n) })),
  'a link with a size': tar(file('a'), member({ name: 'b', flag: '1', link: 'a', size: octal(512) }), file('c')),
  'a link with a PAX size': tar(
    file('a'),
    extension([['size', '512']]),
    member({ name: 'b', flag: '1', link: 'a' }),
    file('c'),
  ),
  'a checksum of letters': member({ name: 'a', checksum: 'abcdefgh' }),
  'a checksum in base 256': tar(member({ name: 'a', checksum: base256(5000n, 8) })),
  'no padding at the end': member({ name: 'a', body: 'x', padded: false }),
  'half the padding at the end': Buffer.concat([member({ name: 'a', body: 'x', padded: false }), Buffer.alloc(100)]),
  'no padding after x': member({ name: 'x', flag: 'x', body: record('path', 'a'), padded: false }),
  'no end marker': file('a'),
  'one zero block': Buffer.concat([file('a'), Buffer.alloc(512)]),
  'one zero block and a half': Buffer.concat([file('a'), Buffer.alloc(700)]),
  'one zero block between members': tar(file('a'), Buffer.alloc(512), file('b')),
  'members after the end': Buffer.concat([file('a'), end, file('b')]),
  nothing: Buffer.alloc(0),
  'a half header': file('a').subarray(0, 300),
  'a half content': member({ name: 'a', body: 'x'.repeat(600) }).subarray(0, 700),
  'PAX: a negative length': tar(member({ name: 'x', flag: 'x', body: '-9 path=a\n' }), file('a')),
  'PAX: a length with a plus': tar(member({ name: 'x', flag: 'x', body: '+11 path=a\n' }), file('a')),
  'PAX: a length with zeros': tar(member({ name: 'x', flag: 'x', body: '0000000000017 path=a\n' }), file('a')),
  'PAX: a length of 4': tar(member({ name: 'x', flag: 'x', body: '4 =\n' }), file('a')),
  'PAX: no newline': tar(member({ name: 'x', flag: 'x', body: '10 path=abc' }), file('a')),
  'PAX: no equals sign': tar(member({ name: 'x', flag: 'x', body: '7 path\n' }), file('a')),
  'PAX: no key': tar(extension([['', 'a']]), file('a')),
  'PAX: a NUL in a path': tar(extension([['path', 'a\0b']]), file('a')),
  'PAX: a NUL in a comment': tar(
    extension([
      ['comment', 'a\0b'],
      ['path', 'p'],
    ]),
    file('a'),
  ),
  'PAX: a NUL in a key': tar(extension([['com\0ment', 'a']]), file('a')),
  'PAX: a path twice': tar(
    extension([
      ['path', 'one'],
      ['path', 'two'],
    ]),
    file('a'),
  ),
  'PAX: a path and then an empty one': tar(
    extension([
      ['path', 'one'],
      ['path', ''],
    ]),
    file('a'),
  ),
  'PAX: a user with a plus': tar(extension([['uid', '+5']]), file('a')),
  'PAX: a user with a fraction': tar(extension([['uid', '5.5']]), file('a')),
  'PAX: a user with blanks': tar(extension([['uid', ' 5']]), file('a')),
  'PAX: a user beyond 64 bits': tar(extension([['uid', '9223372036854775808']]), file('a')),
  'PAX: a user with many zeros': tar(extension([['uid', '0000000000000000000000005']]), file('a')),
  'PAX: times': tar(
    extension([
      ['mtime', '-1.5'],
      ['atime', '5.'],
      ['ctime', '+7.123456789123'],
    ]),
    file('a'),
  ),
  'PAX: a time of a point': tar(extension([['mtime', '.5']]), file('a')),
  'PAX: a bad access time': tar(extension([['atime', '1e3']]), file('a')),
  'PAX: an empty attribute': tar(extension([['SCHILY.xattr.security.capability', '']]), file('a')),
  'PAX: attributes': tar(
    extension([
      ['SCHILY.xattr.user.a', 'b=\n\0c'],
      ['SCHILY.xattr.', 'x'],
    ]),
    file('a'),
  ),
  'PAX: a size': tar(
    extension([['size', '3']]),
    member({ name: 'a', size: octal(0) }),
    Buffer.concat([Buffer.from('abc'), Buffer.alloc(509)]),
    file('b'),
  ),
  'PAX: a negative size': tar(extension([['size', '-3']]), file('a')),
  'sparse 1.0': sparse1('2\n0\n4\n1000\n4\n', 'headtail'),
  'sparse 1.0 of holes alone': sparse1('0\n', ''),
  'sparse 1.0 that ends in data': sparse1('1\n1996\n4\n', 'tail'),
  'sparse 1.0 with an empty fragment': sparse1('3\n0\n4\n500\n0\n1000\n4\n', 'headtail'),
  'sparse 1.0 with a map of two blocks': sparse1(
    `100\n${Array.from({ length: 100 }, (_, at) => `${at * 10}\n1\n`).join('')}`,
    'y'.repeat(100),
  ),
  'sparse 1.0 with too little content': sparse1('1\n0\n9\n', 'abc'),
  'sparse 1.0 with too much content': sparse1('1\n0\n2\n', 'abc'),
  'sparse 1.0 out of order': sparse1('2\n1000\n4\n0\n4\n', 'headtail'),
  'sparse 1.0 beyond its size': sparse1('1\n1999\n4\n', 'tail'),
  'sparse 1.0 without a map': sparse1('', ''),
  'sparse 1.0 with a map of letters': sparse1('x\n', ''),
  'sparse 1.0 with another name': sparse1('1\n0\n4\n', 'data', [['path', 'pax']]),
  'sparse 1.0 of a directory': sparse1('1\n0\n4\n', 'data', [], { flag: '5' }),
  'sparse 1.0 with sizes of both kinds': sparse1('1\n0\n4\n', 'data', [['GNU.sparse.size', '700']]),
  'sparse 0.1': sparse0(
    [
      ['GNU.sparse.size', '90'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.map', '10,2,50,2'],
    ],
    'abcd',
  ),
  'sparse 0.1 with a name': sparse0(
    [
      ['GNU.sparse.major', '0'],
      ['GNU.sparse.minor', '1'],
      ['GNU.sparse.name', 'n'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', '0,4'],
    ],
    'abcd',
  ),
  'sparse 0.1 with a wrong count': sparse0(
    [
      ['GNU.sparse.size', '90'],
      ['GNU.sparse.numblocks', '3'],
      ['GNU.sparse.map', '10,2,50,2'],
    ],
    'abcd',
  ),
  'sparse 0.0': sparse0(
    [
      ['GNU.sparse.size', '90'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '10'],
      ['GNU.sparse.numbytes', '2'],
      ['GNU.sparse.offset', '50'],
      ['GNU.sparse.numbytes', '2'],
    ],
    'abcd',
  ),
  'sparse 0.0 out of turn': sparse0(
    [
      ['GNU.sparse.size', '90'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.numbytes', '2'],
      ['GNU.sparse.offset', '10'],
    ],
    'ab',
  ),
  'sparse of an unknown version': sparse0(
    [
      ['GNU.sparse.major', '2'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.map', '0,1'],
    ],
    'abcd',
  ),
  'sparse keys without a map': sparse0(
    [
      ['GNU.sparse.size', '90'],
      ['GNU.sparse.name', 'n'],
    ],
    'abcd',
  ),
  'GNU’s old sparse': tar(member({ name: 'a', flag: 'S', magic: magics.gnu, body: 'x' })),
  'an unknown flag': tar(member({ name: 'a', flag: 'Z', body: 'x' })),
  'a contiguous file': tar(member({ name: 'a', flag: '7', body: 'x' })),
};

const flags = ['0', '0', '0', '0', '\0', '1', '2', '3', '5', '5', '6', '7', 'Z'] as const;
const names = ['a', 'd/', 'd/f', './e', '/abs', 'x/../y', '.wh.a', 'n\xffo', 'é', 'l'.repeat(100), ''] as const;
const values = [
  '',
  '0',
  '5',
  '+7',
  '-3',
  '12.5',
  '-0.25',
  ' 1',
  '1e3',
  '0x10',
  '9007199254740993',
  'p/q',
  'a\0b',
  '/',
] as const;
const usualValues: Readonly<Record<string, readonly [string, ...string[]]>> = {
  path: ['p', 'p/q', 'dir/'],
  linkpath: ['to', '../to'],
  size: ['0', '3', '600'],
  uid: ['0', '70000'],
  gid: ['0', '70000'],
  mtime: ['5', '1.25', '-3.5'],
  atime: ['5'],
  ctime: ['5'],
  uname: ['root'],
  comment: ['said'],
  'SCHILY.xattr.user.k': ['v'],
  'GNU.sparse.major': ['0', '1'],
  'GNU.sparse.minor': ['0', '1'],
  'GNU.sparse.name': ['s'],
  'GNU.sparse.realsize': ['2000'],
  'GNU.sparse.map': ['0,1'],
};
const keys = Object.keys(usualValues) as unknown as readonly [string, ...string[]];

function number(random: Random, usual: number, length: number): string {
  if (!random.oneIn(30)) return octal(usual, length);
  return random.pick([
    base256(BigInt(usual), length),
    ` ${usual.toString(8)} `,
    `${usual.toString(8)}\0junk`,
    usual.toString(8).padStart(length, '0'),
    base256(BigInt(random.below(1000) - 500), length),
    random.bytes(length).toString('latin1'),
    '',
    '7 7',
    '-1',
  ]);
}

function randomMember(random: Random): Buffer {
  const flag = random.pick(flags);
  // Go reads no content of these: what stands there is the next header.
  const bare = '123456'.includes(flag) && !random.oneIn(30);
  const body = !bare && random.oneIn(2) ? random.bytes(random.below(1200)) : Buffer.alloc(0);
  const magic = random.pick<string>([
    magics.ustar,
    magics.ustar,
    magics.gnu,
    magics.gnu,
    magics.v7,
    'ustar 00',
    'ustar\0  ',
  ]);
  return member({
    name: random.pick(names),
    flag,
    mode: number(random, random.below(0o7777), 8),
    uid: number(random, random.below(2000), 8),
    gid: number(random, random.below(2000), 8),
    size: number(random, body.length, 12),
    mtime: number(random, random.below(2 ** 31), 12),
    link: random.pick(names),
    magic,
    devMajor: random.oneIn(4) ? number(random, random.below(256), 8) : '',
    devMinor: random.oneIn(4) ? number(random, random.below(256), 8) : '',
    prefix: random.oneIn(4) ? random.pick(['p', 'p/q', octal(7), 'é', '\xff'.repeat(4), 'z'.repeat(155)]) : '',
    trailer: random.oneIn(12) ? '\0'.repeat(8) + 'tar\0' : '',
    body,
  });
}

function randomExtension(random: Random): Buffer {
  if (random.oneIn(3)) return longName(random.pick(names), random.pick(['L', 'K'] as const));
  const records = Array.from({ length: random.below(4) }, () => {
    const key = random.pick(keys);
    return [key, random.oneIn(6) ? random.pick(values) : random.pick(usualValues[key] ?? ['x'])] as const;
  });
  return extension(records, random.oneIn(4) ? 'g' : 'x', random.pick(names));
}

function randomTar(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let made = random.below(5); made >= 0; made--) {
    while (random.oneIn(2)) parts.push(randomExtension(random));
    parts.push(randomMember(random));
    if (random.oneIn(80)) parts.push(Buffer.alloc(512));
  }
  if (!random.oneIn(4)) parts.push(end);
  const bytes = Buffer.concat(parts);
  return random.oneIn(20) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

export const corpusSeed = 20_261_128;
const randomCases = 700;

/** corpus is every case, always the same. */
export function corpus(): readonly CorpusCase[] {
  const random = new Random(corpusSeed);
  return [
    ...Object.entries(byHand).map(([name, bytes]) => ({ name, bytes })),
    ...Array.from({ length: randomCases }, (_, at) => ({ name: `random ${at}`, bytes: randomTar(random) })),
  ];
}
