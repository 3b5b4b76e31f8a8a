import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deb } from './apt.ts';
import type { BlobStore, Layer } from './blobs.ts';
import { closure } from './closure.ts';
import { listOf, statusOf } from './dpkg.ts';
import { debEntries, directory, file, isDocumentation, symlink, type TarEntry } from './entries.ts';
import { exists, host } from './host.ts';
import type { ImageParts } from './oci-image.ts';
import { basePackages, type Architecture } from './packages.ts';
import { labSource } from './paths.ts';

/** What decides the layer's bytes beside the packages: a layer that other sources made is not taken from the cache. */
const makers = ['base.ts', 'blobs.ts', 'dpkg.ts', 'entries.ts', 'stand-ins/dnf', 'stand-ins/update-ca-trust'];
const bundle = '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem';

/** The labels as UBI carries them, so that a derived image's overriding them is exercised. */
function labels(architecture: Architecture): Record<string, string> {
  return {
    architecture: architecture === 'amd64' ? 'x86_64' : 'aarch64',
    'build-date': '2026-01-01T00:00:00Z',
    'com.redhat.component': 'ubi10-container',
    'com.redhat.license_terms': 'https://www.redhat.com/en/about/red-hat-end-user-license-agreements#UBI',
    cpe: 'cpe:/o:redhat:enterprise_linux:10',
    description:
      'The Universal Base Image is designed and engineered to be the base layer for all of your containerized applications.',
    'distribution-scope': 'public',
    'io.ambient-code.lab': 'true',
    'io.buildah.version': '1.41.4',
    'io.k8s.description':
      'The Universal Base Image is designed and engineered to be the base layer for all of your containerized applications.',
    'io.k8s.display-name': 'Red Hat Universal Base Image 10',
    'io.openshift.expose-services': '',
    'io.openshift.tags': 'base rhel10',
    maintainer: 'Red Hat, Inc.',
    name: 'ubi10/ubi',
    'org.opencontainers.image.created': '2026-01-01T00:00:00Z',
    'org.opencontainers.image.revision': '0000000000000000000000000000000000000000',
    release: '0',
    summary: 'Provides the latest release of Red Hat Universal Base Image 10.',
    url: 'https://catalog.redhat.com/en/search?searchType=containers',
    'vcs-ref': '0000000000000000000000000000000000000000',
    'vcs-type': 'git',
    vendor: 'Red Hat, Inc.',
    version: '10.0',
  };
}

const text = (tree: ReadonlyMap<string, TarEntry>, path: string): string =>
  (tree.get(path)?.content ?? Buffer.alloc(0)).toString('utf8');

/** What maintainer scripts would have done, written down: nothing of the packages is run. */
async function finish(tree: Map<string, TarEntry>, debs: readonly Deb[]): Promise<void> {
  const put = (...entries: TarEntry[]): void => {
    for (const entry of entries) tree.set(entry.path, entry);
  };
  const users = text(tree, 'usr/share/base-passwd/passwd.master');
  const groups = text(tree, 'usr/share/base-passwd/group.master');
  const locked = (lines: string, rest: string): string =>
    lines.replace(/^([^:]+):.*$/gm, (_line, name: string) => `${name}:*:${rest}`);
  put(
    file('etc/passwd', users.replace(/^([^:]+):\*:/gm, '$1:x:')),
    file('etc/group', groups.replace(/^([^:]+):\*:/gm, '$1:x:')),
    file('etc/shadow', locked(users, '20454:0:99999:7:::'), 0o000),
    file('etc/gshadow', locked(groups, ':'), 0o000),
  );
  const authorities = [...tree.values()].filter(({ path }) => /^usr\/share\/ca-certificates\/.*\.crt$/.test(path));
  authorities.sort((a, b) => (a.path < b.path ? -1 : 1));
  const pem = authorities.map(({ content }) => content?.toString('utf8').trim() ?? '').join('\n') + '\n';
  put(file('usr/share/pki/ca-trust-source/ca-bundle.pem', pem), file(bundle.slice(1), pem, 0o444));
  for (const path of ['etc/pki/ca-trust/source/anchors', 'etc/yum.repos.d', 'var/lib/dpkg/info', 'root', 'tmp'])
    put(directory(path, path === 'tmp' ? 0o1777 : path === 'root' ? 0o550 : 0o755));
  for (const name of ['bin', 'etc', 'include', 'lib', 'libexec', 'sbin', 'share', 'src'])
    put(directory(`usr/local/${name}`));
  for (const path of ['etc/ssl/certs/ca-certificates.crt', 'etc/pki/tls/certs/ca-bundle.crt', 'usr/lib/ssl/cert.pem'])
    put(symlink(path, bundle));
  put(
    symlink('usr/bin/awk', 'mawk'),
    // As on UBI: Dockerfiles that lean on bash pass here as they do there.
    symlink('usr/bin/sh', 'bash'),
    symlink('usr/bin/which', 'which.debianutils'),
    file('etc/os-release', `${text(tree, 'usr/lib/os-release')}VARIANT="lab stand-in for ubi10/ubi"\nVARIANT_ID=lab\n`),
    file('var/lib/dpkg/status', statusOf(debs)),
    file('var/lib/dpkg/available', ''),
    file('var/lib/dpkg/info/format', '1\n'),
    file('etc/resolv.conf', ''),
    file('etc/hosts', ''),
    file('etc/hostname', ''),
    file('usr/bin/dnf', await readFile(join(labSource, 'stand-ins/dnf')), 0o755),
    file('usr/bin/update-ca-trust', await readFile(join(labSource, 'stand-ins/update-ca-trust')), 0o755),
  );
}

/** Directories that no package owns must still be in the layer, or they get the extractor's mode. */
function withParents(tree: Map<string, TarEntry>): void {
  for (const path of [...tree.keys()])
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      if (!tree.has(parent)) tree.set(parent, directory(parent));
    }
}

async function rootLayer(store: BlobStore, debs: readonly Deb[]): Promise<Layer> {
  const tree = new Map<string, TarEntry>();
  for (const deb of debs) {
    const paths: string[] = [];
    for await (const entry of debEntries(deb)) {
      if (isDocumentation(entry.path)) continue;
      const before = tree.get(entry.path);
      // A later package's plain directory must not undo a link such as /bin, nor an earlier mode.
      if (!(entry.type === 'directory' && before !== undefined)) tree.set(entry.path, entry);
      paths.push(entry.path);
    }
    const list = listOf(deb, paths);
    tree.set(list.path, list);
  }
  await finish(tree, debs);
  withParents(tree);
  return store.addLayer(tree.values());
}

/** The large layer is made once for the same packages, the same makers and the same zlib, which packs it. */
export async function cachedRootLayer(store: BlobStore, cache: string, debs: readonly Deb[]): Promise<Layer> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.versions.zlib, debs.map((deb) => deb.sha256)]));
  for (const name of makers) hash.update(await readFile(join(labSource, name)));
  const record = join(cache, 'base', `${hash.digest('hex').slice(0, 20)}.json`);
  const kept = await readFile(record, 'utf8').then(
    (text) => JSON.parse(text) as Layer,
    () => undefined,
  );
  if (kept !== undefined && (await exists(store.path(kept.digest)))) return kept;
  const layer = await rootLayer(store, debs);
  await mkdir(join(cache, 'base'), { recursive: true });
  await host.files.write(record, JSON.stringify(layer));
  return layer;
}

/**
 * baseParts gives the stand-in for UBI: a layer of packages, and above it a small one that says
 * where the lab's package server is. The lab's own CA is not in it: builds must get it by mount,
 * as they do behind a company's proxy.
 */
export async function baseParts(
  store: BlobStore,
  cache: string,
  sets: Readonly<Record<Architecture, ReadonlyMap<string, Deb>>>,
  packagesUrl: string,
): Promise<Record<Architecture, ImageParts>> {
  const repo = `[lab]\nname=openshell-runner-images lab\nbaseurl=${packagesUrl}/dnf\nenabled=1\n`;
  const configuration = await store.addLayer([
    directory('etc'),
    directory('etc/yum.repos.d'),
    file('etc/yum.repos.d/lab.repo', repo),
  ]);
  const partsOf = async (architecture: Architecture): Promise<ImageParts> => {
    const debs = closure(sets[architecture], basePackages);
    const root = await cachedRootLayer(store, cache, debs);
    const config = {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'container=oci'],
      Cmd: ['/bin/bash'],
      Labels: labels(architecture),
    };
    const layers = [
      { layer: root, createdBy: `lab: ${debs.length} Debian packages unpacked for ${architecture}` },
      { layer: configuration, createdBy: "lab: where the lab's packages are" },
    ];
    return { layers, config };
  };
  const [amd64, arm64] = await Promise.all([partsOf('amd64'), partsOf('arm64')]);
  return { amd64, arm64 };
}
