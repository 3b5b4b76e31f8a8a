import { architectureOf, hexOf, type NpmPin, type Pin, type Platform } from '../../core/index.ts';
import type { Declared } from '../component.ts';

/** An npm package declares itself by its package.json. */
type Artifact = Exclude<Pin, NpmPin>;

const fill = (template: string, version: string, arch: string): string =>
  template.replaceAll('{version}', version).replaceAll('{arch}', arch);

function generic(pin: Artifact, version: string, qualifiers?: Readonly<Record<string, string>>): Declared {
  const purl = {
    type: 'generic' as const,
    name: pin.name,
    version,
    qualifiers,
  };
  return { ecosystem: 'generic', name: pin.name, version, purl };
}

/**
 * declarePin is a pinned artifact as a component: what was fetched, from where, and by which hash it was held. The
 * hash is that of the download (release archive, image index, list of files), not of the file it became.
 */
export function declarePin(pin: Artifact, platform: Platform): Declared {
  switch (pin.kind) {
    case 'image':
      return {
        ...generic(pin, pin.version, { repository_url: pin.repository }),
        origin: { kind: 'distribution', url: `oci://${pin.repository}@${pin.digest}`, sha256: hexOf(pin.digest) },
      };
    case 'release': {
      const url = fill(pin.url, pin.version, architectureOf(platform));
      return {
        ...generic(pin, pin.version, { vcs_url: pin.repository }),
        origin: { kind: 'distribution', url, sha256: hexOf(pin.checksums[platform]) },
      };
    }
    case 'git':
    case 'action':
      return {
        ...generic(pin, pin.commit, { vcs_url: `${pin.repository}@${pin.commit}` }),
        origin: {
          kind: 'vcs',
          url: `git+${pin.repository}@${pin.commit}${pin.kind === 'git' ? `#${pin.path}` : ''}`,
          sha256: pin.kind === 'git' ? hexOf(pin.digest) : undefined,
        },
      };
    case 'python':
      return generic(pin, pin.version);
    case 'rpms':
      return generic(pin, 'floating');
  }
}
