import { architectureOf, hexOf, type Pin, type Plan } from '../core/index.ts';
import type { ResourceDescriptor } from './provenance-schema.ts';

/** sha512 of an npm lock's `integrity`, as the digest set of a resource writes it. */
function integrityDigest(integrity: string): Record<string, string> | undefined {
  const [, algorithm, base64] = /^(sha512|sha384|sha256)-([A-Za-z0-9+/]+={0,2})$/.exec(integrity) ?? [];
  if (algorithm === undefined || base64 === undefined) return undefined;
  return { [algorithm]: Buffer.from(base64, 'base64').toString('hex') };
}

const fill = (template: string, version: string, arch: string): string =>
  template.replaceAll('{version}', version).replaceAll('{arch}', arch);

function npmPurl(name: string, version: string): string {
  return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`;
}

function imageUri(repository: string, digest: string): string {
  const name = repository.split('/').at(-1) ?? repository;
  return `pkg:oci/${name}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(repository)}`;
}

function ofPin(pin: Pin, plan: Plan): ResourceDescriptor[] {
  const { name } = pin;
  const local = name === 'runner' ? plan.runnerSource : undefined;
  switch (pin.kind) {
    case 'image':
      return [{ name, uri: imageUri(pin.repository, pin.digest), digest: { sha256: hexOf(pin.digest) } }];
    case 'release':
      return plan.platforms.map((platform) => ({
        name: `${name} ${platform}`,
        uri: fill(pin.url, pin.version, architectureOf(platform)),
        digest: { sha256: hexOf(pin.checksums[platform]) },
      }));
    case 'npm':
      return [{ name, uri: npmPurl(pin.package, pin.version), digest: integrityDigest(pin.integrity) }];
    case 'git':
      return [
        {
          name,
          uri: `git+${pin.repository}@${pin.commit}#${pin.path}`,
          // Files that were changed since are not the commit's: only their own digest holds them.
          digest: local?.dirty === true ? undefined : { gitCommit: pin.commit, gitTree: pin.tree },
          annotations: { files: pin.digest, source: local?.kind, dirty: local?.dirty },
        },
      ];
    case 'action':
      return [{ name, uri: `git+${pin.repository}@${pin.commit}`, digest: { gitCommit: pin.commit } }];
    // The two kinds whose bytes no digest of ours holds say so, and who does hold them.
    case 'python':
      return [
        {
          name,
          uri: `pkg:generic/python@${encodeURIComponent(pin.version)}`,
          annotations: { digest: `absent: ${pin.installedBy} verifies it by the hashes it carries` },
        },
      ];
    case 'rpms':
      return [
        {
          name,
          uri: `pkg:generic/${encodeURIComponent(name)}`,
          annotations: { packages: pin.packages, digest: `absent: signed by the repositories of ${pin.base}` },
        },
      ];
  }
}

/** resolvedDependencies lists every pin of the plan, in the plan's order. An unknown digest is absent. */
export function resolvedDependencies(plan: Plan): ResourceDescriptor[] {
  return plan.pins.flatMap((pin) => ofPin(pin, plan));
}
