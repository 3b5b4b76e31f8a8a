import { end, extension, longName, magics, member, octal, type HeaderFields } from './header.ts';
import type { Random } from './random.ts';

/** GeneratedImage is an image as uncompressed layers, lowest first. */
export interface GeneratedImage {
  readonly name: string;
  readonly layers: readonly Buffer[];
}

interface Facts {
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
}

const directories = ['d', 'd/s', 'd/s/t', 'e', 'e/s'] as const;
const leaves = ['a', 'b', 'c', 'f'] as const;

/** One layer in the making: its entries so far, and what each path is. */
class LayerMaker {
  readonly parts: Buffer[] = [];
  readonly files = new Map<string, Facts>();
  readonly written = new Set<string>();
  readonly hidden = new Set<string>();
  private readonly random: Random;
  private readonly odd: boolean;

  constructor(random: Random, odd: boolean) {
    this.random = random;
    this.odd = odd;
  }

  private facts(special: boolean): Facts {
    const { random } = this;
    const bits = special && random.oneIn(6) ? random.pick([0o4000, 0o2000, 0o1000, 0o6000] as const) : 0;
    const id = () => octal(random.pick([0, 0, 1000, 65_534, 1_000_680_000] as const), 8).slice(-7);
    const large = (text: string) => (text.length > 7 ? '' : text);
    return { mode: octal(bits + random.below(0o1000), 8), uid: large(id()), gid: large(id()) };
  }

  /** Writes a member by one of the ways that name the same path, with the headers before it. */
  private put(path: string, fields: Omit<HeaderFields, 'name'>, directory = false): void {
    const { random } = this;
    const slash = directory && !random.oneIn(5) ? '/' : '';
    const spellings = [path, path, path, `./${path}`, `/${path}`, path.replace('/', '//')];
    if (this.odd) spellings.push(`x/../${path}`, `/../${path}`, `./y/./../${path}`);
    const name = random.pick(spellings as [string, ...string[]]) + slash;
    const link = fields.link ?? '';
    if (random.oneIn(6)) {
      this.parts.push(longName(name));
      this.parts.push(member({ ...fields, name: 'short', magic: magics.gnu }));
    } else if (random.oneIn(6)) {
      this.parts.push(
        extension([['path', name], ['mtime', '1700000001.5'], ...(link === '' ? [] : [['linkpath', link] as const])]),
      );
      this.parts.push(member({ ...fields, name: 'short', link: link === '' ? '' : 'elsewhere' }));
    } else if (random.oneIn(8) && name.includes('/') && !name.endsWith('/')) {
      const at = name.lastIndexOf('/');
      // `/a` has an empty prefix, which no reader adds.
      const prefix = name.slice(0, at);
      this.parts.push(member({ ...fields, name: prefix === '' ? name : name.slice(at + 1), prefix }));
    } else {
      if (this.odd && random.oneIn(10)) this.stray();
      this.parts.push(
        member({ ...fields, name, magic: fields.magic ?? random.pick([magics.ustar, magics.gnu, magics.v7] as const) }),
      );
    }
  }

  /** Headers that say something of a member and are then dropped. */
  private stray(): void {
    const { random } = this;
    const said = random.pick([
      extension([
        ['path', 'etc/evil'],
        ['size', '512'],
        ['uid', '7'],
      ]),
      longName('etc/evil'),
      longName('evil', 'K'),
    ] as const);
    if (random.oneIn(2)) this.parts.push(said, extension([['comment', 'c']], 'g', `GlobalHead.0.${this.parts.length}`));
    else this.parts.push(longName(''), longName('', 'K'));
  }

  private parents(path: string): void {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) this.directory(parts.slice(0, depth).join('/'));
  }

  directory(path: string): void {
    if (this.isTaken(path)) return;
    if (path.includes('/')) this.parents(path);
    this.remove(path, false);
    this.written.add(path);
    this.put(
      path,
      { flag: '5', ...this.facts(false), size: this.odd && this.random.oneIn(8) ? octal(512) : undefined },
      true,
    );
  }

  /** Podman refuses a layer that has a path twice, so few have. */
  private isTaken(path: string): boolean {
    return this.written.has(path) && !(this.odd && this.random.oneIn(60));
  }

  /** What was at a path, and below it unless it stays a directory, can no longer be linked to. */
  private remove(path: string, below: boolean): void {
    for (const known of this.files.keys())
      if (known === path || (below && known.startsWith(`${path}/`))) this.files.delete(known);
    if (below) for (const known of this.written) if (known.startsWith(`${path}/`)) this.written.delete(known);
  }

  leaf(path: string): void {
    const { random } = this;
    if (this.isTaken(path)) return;
    this.parents(path);
    const facts = this.facts(true);
    const kind = random.below(12);
    const target = [...this.files].filter(([known]) => known !== path).at(-1);
    this.remove(path, true);
    this.written.add(path);
    if (kind === 0)
      this.put(path, { flag: '2', link: random.pick(['a', '../b', '/e/c', 'nowhere'] as const), ...facts });
    else if (kind === 1) this.put(path, { flag: '6', ...facts });
    else if (kind === 2)
      this.put(path, {
        flag: random.pick(['3', '4'] as const),
        devMajor: octal(1, 8),
        devMinor: octal(random.below(9), 8),
        ...facts,
        magic: magics.ustar,
      });
    else if (kind === 3 && target !== undefined) this.hardLink(path, target);
    else if (kind === 4 && this.odd) this.sparse(path, facts);
    else {
      this.put(path, {
        ...facts,
        body: random.bytes(random.below(1500)),
        devMajor: this.odd && random.oneIn(6) ? octal(7, 8) : undefined,
      });
      this.files.set(path, facts);
    }
  }

  private hardLink(path: string, [target, facts]: readonly [string, Facts]): void {
    const link = this.random.pick([target, `./${target}`, `/${target}`, ...(this.odd ? [`../../${target}`] : [])] as [
      string,
      ...string[],
    ]);
    this.put(path, { flag: '1', link, ...facts, size: this.odd && this.random.oneIn(4) ? octal(512) : undefined });
    this.files.set(path, facts);
  }

  private sparse(path: string, facts: Facts): void {
    const { random } = this;
    const first = random.below(300);
    const gap = random.below(3000);
    const map = `2\n0\n${first}\n${first + gap}\n10\n`;
    const head = Buffer.alloc(512);
    head.write(map);
    const size = String(first + gap + 10 + random.below(2000));
    const records = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', path],
      ['GNU.sparse.realsize', size],
    ] as const;
    this.parts.push(
      extension(records),
      member({ name: 'GNUSparseFile.0/x', ...facts, body: Buffer.concat([head, random.bytes(first + 10)]) }),
    );
    this.files.set(path, facts);
  }

  whiteout(path: string): void {
    if (this.hidden.has(path) || (this.touches(path) && !(this.odd && this.random.oneIn(12)))) return;
    this.hidden.add(path);
    const slash = path.lastIndexOf('/') + 1;
    if (slash > 0) this.parents(path);
    this.parts.push(member({ name: `${path.slice(0, slash)}.wh.${path.slice(slash)}` }));
  }

  private touches(path: string): boolean {
    return [...this.written].some((known) => known === path || known.startsWith(`${path}/`));
  }

  opaque(path: string): void {
    const marker = `${path}/.wh..wh..opq`;
    if (this.written.has(marker)) return;
    this.directory(path);
    this.written.add(marker);
    this.parts.push(member({ name: marker }));
  }

  isHidden(path: string): boolean {
    return [...this.hidden].some((known) => path === known || path.startsWith(`${known}/`));
  }
}

function layer(random: Random, odd: boolean, lowest: boolean): Buffer {
  const maker = new LayerMaker(random, odd);
  if (random.oneIn(2)) maker.parts.push(member({ name: './', flag: '5', mode: octal(0o755, 8) }));
  for (let made = 4 + random.below(14); made > 0; made--) {
    const place = random.pick(directories);
    const path = random.oneIn(4) ? random.pick(leaves) : `${place}/${random.pick(leaves)}`;
    const kind = random.below(12);
    // Below what a layer hid it writes nothing, but in odd images: engines differ there.
    const gone = kind === 0 ? path : place;
    if (kind <= 1 && !lowest && (odd || !maker.isHidden(gone))) maker.whiteout(gone);
    else if (kind === 2 && !lowest && (odd || !maker.isHidden(place))) maker.opaque(place);
    else if (kind <= 4 && (odd || !maker.isHidden(place))) maker.directory(place);
    else if (odd || !maker.isHidden(path)) maker.leaf(path);
  }
  if (odd && random.oneIn(5)) {
    // Nothing after the content: no padding, no end marker.
    return Buffer.concat([
      ...maker.parts,
      member({ name: 'last', body: random.bytes(1 + random.below(500)), padded: false }),
    ]);
  }
  return Buffer.concat([...maker.parts, ...(random.oneIn(8) ? [] : [end])]);
}

/** generateImage returns an image that is unlike every other; odd ones hold what no builder writes. */
export function generateImage(random: Random, index: number): GeneratedImage {
  const odd = index % 2 === 1;
  const count = 1 + random.below(4);
  const layers = Array.from({ length: count }, (_, at) => layer(random, odd, at === 0));
  return { name: `${odd ? 'odd' : 'usual'}${index}`, layers };
}
