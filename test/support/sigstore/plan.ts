import { digestOf, parseDigest, type Pin, type Plan } from '../../../src/core/index.ts';

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const base = { policy: {}, evidence: [], absent: [] };

/** One pin of each kind; made up, but shaped as images/pins.yaml shapes them. */
export const pins: readonly Pin[] = [
  {
    ...base,
    kind: 'image',
    name: 'base',
    repository: 'registry.example/ubi10/ubi',
    version: '10.0',
    digest: digest('a'),
    platforms: {},
  },
  {
    ...base,
    kind: 'release',
    name: 'gh',
    repository: 'https://github.com/cli/cli',
    version: '2.74.0',
    url: 'https://github.com/cli/cli/releases/download/v{version}/gh_{version}_linux_{arch}.tar.gz',
    checksumFile: 'checksums/gh/2.74.0.sha256',
    checksums: { 'linux/amd64': digest('b'), 'linux/arm64': digest('c') },
  },
  {
    ...base,
    kind: 'npm',
    name: 'codex',
    package: '@openai/codex',
    version: '0.117.0',
    lock: 'images/openshell/npm/codex',
    integrity: `sha512-${Buffer.alloc(64, 7).toString('base64')}`,
  },
  { ...base, kind: 'python', name: 'python', version: '3.14.3', installedBy: 'uv' },
  {
    ...base,
    kind: 'git',
    name: 'runner-source',
    repository: 'https://github.com/o/platform',
    version: '0.1.0',
    commit: 'd'.repeat(40),
    path: 'runner',
    tree: 'e'.repeat(40),
    digest: digest('f'),
  },
  { ...base, kind: 'rpms', name: 'rpms', base: 'base', packages: ['git', 'jq'] },
  {
    ...base,
    kind: 'action',
    name: 'checkout',
    repository: 'https://github.com/actions/checkout',
    version: '5.0.0',
    commit: '1'.repeat(40),
  },
];

/** testPlan is a plan with every kind of pin. */
export const testPlan: Plan = {
  version: 1,
  variant: 'openshell',
  image: 'openshell',
  profile: 'openshell',
  platforms: ['linux/amd64', 'linux/arm64'],
  repository: 'quay.example/o/runner',
  base: { pin: 'base', reference: `registry.example/ubi10/ubi@${digest('a')}`, digest: digest('a') },
  pins,
  dockerfile: { path: 'images/openshell/Dockerfile.openshell', text: 'FROM scratch\n' },
  context: [],
  labels: {},
  buildArgs: { GIT_COMMIT: '2'.repeat(40) },
  omitted: [{ name: 'glab', version: '1.52.0', reason: 'its checksums are not known' }],
  sourceDateEpoch: 1_780_000_000,
  lab: true,
  inputDigest: digestOf('inputs'),
};
