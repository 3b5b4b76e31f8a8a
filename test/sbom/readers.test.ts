import { describe, expect, it } from 'vitest';
import { readDpkgStatus } from '../../src/sbom/found/deb.ts';
import { goBuildInfoMagic, goWindow, readGoBuildInfo } from '../../src/sbom/found/go.ts';
import { WindowFinder } from '../../src/oci/walk/window.ts';
import { isNpmPackageFile, readNpmPackage } from '../../src/sbom/found/npm.ts';
import { isPythonMetadata, readPythonMetadata } from '../../src/sbom/found/python.ts';
import { parseRpmHeader } from '../../src/sbom/found/rpm-header.ts';

/** An RPM header as rpm writes it: counts, index entries, data. */
function rpmHeader(values: readonly (readonly [tag: number, value: string | number])[]): Buffer {
  const data: Buffer[] = [];
  let offset = 0;
  const index = values.map(([tag, value]) => {
    const bytes = typeof value === 'number' ? Buffer.alloc(4) : Buffer.from(`${value}\0`);
    if (typeof value === 'number') bytes.writeUInt32BE(value);
    const entry = Buffer.alloc(16);
    entry.writeUInt32BE(tag, 0);
    entry.writeUInt32BE(typeof value === 'number' ? 4 : 6, 4);
    entry.writeInt32BE(offset, 8);
    entry.writeUInt32BE(1, 12);
    data.push(bytes);
    offset += bytes.length;
    return entry;
  });
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(index.length, 0);
  counts.writeUInt32BE(offset, 4);
  return Buffer.concat([counts, ...index, ...data]);
}

describe('RPM headers', () => {
  it('gives name, version, release, epoch and licence', () => {
    const blob = rpmHeader([
      [1000, 'openssl-libs'],
      [1001, '3.2.2'],
      [1002, '16.el10'],
      [1003, 1],
      [1014, 'Apache-2.0'],
      [1022, 'x86_64'],
    ]);
    expect(parseRpmHeader(blob)).toEqual({
      name: 'openssl-libs',
      version: '3.2.2',
      release: '16.el10',
      epoch: 1,
      license: 'Apache-2.0',
      arch: 'x86_64',
    });
  });

  it.each([
    ['four bytes', Buffer.alloc(4)],
    ['counts past the end', Buffer.from('0000ffff0000ffff', 'hex')],
    ['no name', rpmHeader([[1001, '1']])],
  ])('refuses %s', (_what, blob) => {
    expect(() => parseRpmHeader(blob)).toThrow('malformed RPM header');
  });
});

describe('dpkg status', () => {
  it('lists what is installed and leaves out what was removed but configured', () => {
    const text = [
      'Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.7.1-6+deb13u1\nDescription: x\n more',
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
    ].join('\n\n');
    expect(readDpkgStatus(text).map(({ name, version }) => [name, version])).toEqual([['jq', '1.7.1-6+deb13u1']]);
  });
});

describe('npm packages', () => {
  it.each([
    ['/usr/local/lib/node_modules/@openai/codex/package.json', true],
    ['/a/node_modules/b/node_modules/c/package.json', true],
    ['/a/node_modules/b/lib/package.json', false],
    ['/a/package.json', false],
    ['/a/node_modules/b/dist/esm/package.json', false],
  ])('%s is a package of its own: %s', (path, expected) => {
    expect(isNpmPackageFile(path)).toBe(expected);
  });

  it('reads scope, name, version and both forms of licence', () => {
    expect(readNpmPackage('{"name":"@a/b","version":"1.2.3","license":"MIT"}')).toMatchObject({
      license: 'MIT',
      purl: { type: 'npm', namespace: '@a', name: 'b', version: '1.2.3' },
    });
    expect(readNpmPackage('{"name":"b","version":"1","license":{"type":"ISC"}}')).toMatchObject({ license: 'ISC' });
  });

  it.each(['{"type":"module"}', 'not json', 'null', '[]', '{"name":"","version":"1"}'])(
    'finds no package in %s',
    (text) => {
      expect(readNpmPackage(text)).toBeUndefined();
    },
  );
});

describe('Python distributions', () => {
  it('reads the header only, and normalises the purl name', () => {
    const text =
      'Metadata-Version: 2.4\nName: Foo_Bar.baz\nVersion: 1.0\nLicense-Expression: MIT\n\nName: other\nVersion: 9';
    expect(readPythonMetadata(text)).toEqual({
      ecosystem: 'pypi',
      name: 'Foo_Bar.baz',
      version: '1.0',
      license: 'MIT',
      purl: { type: 'pypi', name: 'foo-bar-baz', version: '1.0' },
    });
  });

  it.each([
    ['a classifier', 'Classifier: License :: OSI Approved :: MIT License', 'MIT License'],
    [
      'several classifiers, in their own words',
      'Classifier: License :: OSI Approved :: BSD License\nClassifier: Programming Language :: C\nClassifier: License :: OSI Approved :: Apache Software License',
      'BSD License; Apache Software License',
    ],
    [
      'the field before the classifier',
      'License: Apache-2.0\nClassifier: License :: OSI Approved :: MIT License',
      'Apache-2.0',
    ],
    [
      'the classifier where the field holds a whole text',
      `License: ${'Permission is hereby granted '.repeat(9)}\nClassifier: License :: OSI Approved :: MIT License`,
      'MIT License',
    ],
    ['nothing where only the approval is told', 'Classifier: License :: OSI Approved', undefined],
    ['nothing where nothing is told', 'Summary: License :: OSI Approved :: MIT License', undefined],
  ])('reads a licence from %s', (_what, lines, license) => {
    expect(readPythonMetadata(`Name: x\nVersion: 1\n${lines}\n`)?.license).toBe(license);
  });

  it('takes METADATA of a wheel and PKG-INFO of an egg', () => {
    expect(isPythonMetadata('/v/lib/python3.14/site-packages/fastapi-0.115.dist-info/METADATA')).toBe(true);
    expect(isPythonMetadata('/usr/lib/python3/dist-packages/x.egg-info/PKG-INFO')).toBe(true);
    expect(isPythonMetadata('/v/METADATA')).toBe(false);
  });
});

describe('Go build information', () => {
  const varint = (length: number) =>
    length < 128 ? Buffer.from([length]) : Buffer.from([(length & 0x7f) | 0x80, length >> 7]);
  const section = (version: string, modules: string) => {
    const framed = `${'\x01'.repeat(16)}${modules}${'\x02'.repeat(16)}`;
    const header = Buffer.alloc(32);
    goBuildInfoMagic.copy(header);
    header[14] = 8;
    header[15] = 2;
    return Buffer.concat([
      header,
      varint(version.length),
      Buffer.from(version),
      varint(framed.length),
      Buffer.from(framed, 'latin1'),
    ]);
  };

  it('lists the main module, its dependencies and the standard library', () => {
    const bytes = section(
      'go1.24.4',
      'path\tgithub.com/cli/cli/v2/cmd/gh\nmod\tgithub.com/cli/cli/v2\tv2.74.0\t\ndep\tgolang.org/x/net\tv0.40.0\th1:x=\n',
    );
    expect(readGoBuildInfo(bytes).map(({ name, version }) => `${name} ${version}`)).toEqual([
      'stdlib 1.24.4',
      'github.com/cli/cli/v2 v2.74.0',
      'golang.org/x/net v0.40.0',
    ]);
  });

  it('a module that another one replaces is not in the program, its replacement is', () => {
    const lines = 'dep\ta.example/old\tv1.0.0\th1:x=\n=>\tb.example/fork\tv1.0.1\th1:y=\ndep\tc.example/m\tv2.0.0\n';
    expect(readGoBuildInfo(section('go1.24.4', lines)).map(({ name }) => name)).toEqual([
      'stdlib',
      'b.example/fork',
      'c.example/m',
    ]);
  });

  it('is found wherever it lies in a program, but not where a program only speaks of it', () => {
    const info = section('go1.24.4', 'dep\tc.example/m\tv2.0.0\n');
    const mention = Buffer.concat([goBuildInfoMagic, Buffer.from('\0\0')]);
    const program = Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(12), mention, Buffer.alloc(48), info]);
    const finder = new WindowFinder(goWindow, program.length);
    for (let at = 0; at < program.length; at += 7) finder.data(program.subarray(at, at + 7));
    expect(readGoBuildInfo(finder.found ?? Buffer.alloc(0)).map(({ name }) => name)).toEqual(['stdlib', 'c.example/m']);
  });

  it('finds nothing in bytes that end early or are something else', () => {
    expect(readGoBuildInfo(section('go1.24', 'mod\ta\tv1').subarray(0, 40))).toEqual([]);
    expect(readGoBuildInfo(Buffer.alloc(100))).toEqual([]);
  });
});
