import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readContract } from '../../src/config/index.ts';
import { evaluate, type BaseFacts, type EvaluateInput, type Evaluation } from '../../src/contract/index.ts';
import { digestOf, type Contract, type Finding, type ImageConfig } from '../../src/core/index.ts';
import { pictureOf, type PathOf, type PictureOf } from '../support/picture.ts';

const root = resolve(import.meta.dirname, '../..');
const file = 'images/contract/v1.yaml';

/** The contract as it is committed: a test that passes with other parameters proves nothing. */
export const contract: Contract = readContract(readFileSync(resolve(root, file), 'utf8'), file);

export const now = new Date('2026-11-22T12:00:00Z');
export const baseDigest = digestOf('the pinned base');
export const publishedDigest = digestOf('the published image');

const labels = (variant: string): Record<string, string> => ({
  'io.ambient-code.runner-contract-version': '1',
  'io.ambient-code.runner-variant': variant,
  'io.ambient-code.input-digest': digestOf('inputs'),
  name: variant,
  vendor: 'Example',
  version: '1.0.0',
  release: '1',
  summary: 'Ambient runner',
  description: 'The Ambient runner',
  maintainer: 'Example',
  'org.opencontainers.image.title': 'Ambient runner',
  'org.opencontainers.image.description': 'The Ambient runner',
  'org.opencontainers.image.licenses': 'Apache-2.0',
  'org.opencontainers.image.version': '1.0.0',
  'org.opencontainers.image.source': 'https://github.com/example/images',
  'org.opencontainers.image.revision': '0123456789abcdef0123456789abcdef01234567',
  'org.opencontainers.image.created': '2026-11-22T00:00:00Z',
  'org.opencontainers.image.base.name': 'registry.example.com/ubi10/ubi:10',
  'org.opencontainers.image.base.digest': baseDigest,
});

const program: PathOf = { mode: 0o755, size: 2_000_000, layer: 0 };
const directory = (more: PathOf = {}): PathOf => ({ type: 'directory', ...more });

/** A UBI-like base: what both images stand on, in layer 0. */
const baseParts: Record<string, PathOf> = {
  '/bin': { link: 'usr/bin', layer: 0 },
  '/etc/passwd': { layer: 0, content: 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/sbin/nologin\n' },
  '/etc/group': { layer: 0, content: 'root:x:0:\nwheel:x:10:\nnobody:x:65534:\n' },
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem': { mode: 0o444, layer: 0 },
  '/tmp': directory({ mode: 0o1777, layer: 0 }),
  '/usr/bin/bash': program,
  '/usr/bin/sh': { link: 'bash', layer: 0 },
  '/usr/bin/find': program,
  '/usr/bin/mktemp': program,
  '/usr/bin/tar': program,
  '/usr/bin/su': { ...program, mode: 0o4755 },
  '/usr/bin/python3': { link: 'python3.12', layer: 0 },
  '/usr/bin/python3.12': program,
  '/usr/lib/python3.12/os.py': { layer: 0 },
};

/** The packages of an environment: the runner by a .pth file, the server in site-packages. */
const environment = (venv: string, application: string, version: string): Record<string, PathOf> => ({
  [`${venv}/pyvenv.cfg`]: { content: `home = /usr/bin\nversion_info = ${version}.1\n` },
  [`${venv}/bin/uvicorn`]: { mode: 0o755, content: `#!${venv}/bin/python\nimport uvicorn\n` },
  [`${venv}/lib/python${version}/site-packages/uvicorn/__init__.py`]: {},
  [`${venv}/lib/python${version}/site-packages/uvicorn-0.32.0.dist-info`]: directory(),
  [`${venv}/lib/python${version}/site-packages/ambient-runner.pth`]: { content: `${application}\n` },
  [`${application}/main.py`]: {},
  [`${application}/ambient_runner/__init__.py`]: {},
  [`${application}/ambient_runner/bridges/claude/__init__.py`]: {},
  [`${application}/ambient_runner/bridges/gemini_cli/__init__.py`]: {},
  [`${application}/ambient_runner/bridges/langgraph/__init__.py`]: {},
});

const rego =
  'package openshell.sandbox\nfilesystem_policy := data.filesystem_policy\nlandlock_policy := data.landlock\nprocess_policy := data.process\npolicies := object.get(data, "network_policies", {})\n';

/** A policy that fits the image: real executables, paths that are there, a user that exists. */
export const policy = (python: string): string => `version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /etc, /proc, /dev/urandom]
  read_write: [/tmp, /dev/null]
landlock:
  compatibility: best_effort
process:
  run_as_user: sandbox
  run_as_group: sandbox
network_policies:
  packages:
    name: packages
    endpoints:
      - { host: pypi.org, port: 443, protocol: rest, enforcement: enforce, access: read-only }
    binaries:
      - { path: ${python} }
      - { path: /usr/lo*/bin/gh }
`;

const accounts: Record<string, PathOf> = {
  '/etc/passwd': {
    content:
      'root:x:0:0:root:/root:/bin/bash\nsandbox:x:1000:1000::/sandbox:/bin/bash\nrunner:x:1001:0::/app:/bin/bash\n',
  },
  '/etc/group': { content: 'root:x:0:\nsandbox:x:1000:\n' },
};

/** An MCP configuration with one server that is started and one that is reached. */
export const mcp = (command: string): string =>
  JSON.stringify({ mcpServers: { atlassian: { command }, context: { type: 'http', url: 'https://mcp.example/mcp' } } });

const layers = ['ADD file:ubi.tar in /', 'COPY . /'];

export function standard(): PictureOf {
  const own = { uid: 1001, gid: 0 };
  return {
    layers,
    user: '1001',
    ports: ['8001/tcp'],
    workdir: '/app/ambient-runner',
    cmd: ['/bin/bash', '-c', 'exec uvicorn main:app --port 8001'],
    labels: labels('standard'),
    env: {
      PATH: '/app/.venv/bin:/usr/local/bin:/usr/bin:/bin',
      HOME: '/app',
      SHELL: '/bin/bash',
      PYTHONUNBUFFERED: '1',
      AGUI_PORT: '8001',
      RUNNER_TYPE: 'claude-agent-sdk',
    },
    paths: {
      ...baseParts,
      ...accounts,
      '/app': directory({ ...own, mode: 0o775 }),
      '/app/ambient-runner': directory({ ...own, mode: 0o775 }),
      '/app/vertex': directory({ ...own, mode: 0o775 }),
      '/app/standard-claude-wrapper.sh': { ...own, mode: 0o775, content: '#!/bin/bash\nexec claude "$@"\n' },
      '/workspace': directory({ uid: 1000, gid: 0, mode: 0o775 }),
      '/app/.venv/bin/python': { link: '/usr/bin/python3' },
      '/app/.venv/bin/python3': { link: 'python' },
      ...environment('/app/.venv', '/app/ambient-runner', '3.12'),
      '/usr/local/bin/gh': { ...program, layer: 1 },
      '/etc/openshell/policy.yaml': { content: policy('/usr/bin/python3.12') },
      '/etc/openshell/policy.rego': { content: rego },
    },
  };
}

const interpreter = '/sandbox/.uv/python/cpython-3.14.3-linux-x86_64-gnu';

export function openshell(): PictureOf {
  const own = { uid: 1000, gid: 0 };
  return {
    layers,
    user: '',
    ports: ['8001/tcp'],
    workdir: '/sandbox',
    cmd: ['/runner/entrypoint.sh'],
    labels: labels('openshell'),
    env: {
      PATH: '/sandbox/.venv/bin:/usr/local/bin:/usr/bin:/bin',
      HOME: '/sandbox',
      SHELL: '/bin/bash',
      PYTHONUNBUFFERED: '1',
      AGUI_PORT: '8001',
      RUNNER_TYPE: 'claude-agent-sdk',
    },
    paths: {
      ...baseParts,
      ...accounts,
      '/sandbox': directory({ ...own, mode: 0o775 }),
      '/sandbox/workspace': directory({ ...own, mode: 0o775 }),
      '/sandbox/.runner/logs': directory({ ...own, mode: 0o775 }),
      '/workspace': directory({ ...own, mode: 0o775 }),
      '/sandbox/.mcp.json': { ...own, mode: 0o664, content: mcp('mcp-atlassian') },
      '/sandbox/.claude/settings.json': { ...own, mode: 0o664, content: '{"enabledMcpjsonServers":["atlassian"]}' },
      '/sandbox/.venv/bin/mcp-atlassian': { mode: 0o755, content: '#!/sandbox/.venv/bin/python\n' },
      '/sandbox/workspace/artifacts': directory({ ...own, mode: 0o775 }),
      '/sandbox/workspace/file-uploads': directory({ ...own, mode: 0o775 }),
      [`${interpreter}/bin/python3.14`]: { ...own, mode: 0o775, size: 9_000_000 },
      [`${interpreter}/lib/python3.14/os.py`]: { ...own },
      '/sandbox/.venv/bin/python': { link: `${interpreter}/bin/python3.14` },
      '/sandbox/.venv/bin/python3': { link: 'python' },
      ...environment('/sandbox/.venv', '/runner/ambient-runner', '3.14'),
      '/runner/entrypoint.sh': { mode: 0o755, content: '#!/bin/bash\nexec uvicorn main:app\n' },
      '/usr/local/bin/gh': { ...program, layer: 1 },
      '/etc/openshell/policy.yaml': { content: policy('/sandbox/.uv/python/cpython-*/bin/python3.14') },
    },
  };
}

/** An image derived from `standard`: one more layer, and a description of its own. */
export function derived(): PictureOf {
  const base = standard();
  const top = 2;
  return {
    ...base,
    layers: [...layers, 'COPY tool /usr/local/bin/tool'],
    labels: {
      ...base.labels,
      'io.ambient-code.input-digest': digestOf('my inputs'),
      'org.opencontainers.image.title': 'My runner',
      'org.opencontainers.image.description': 'The runner with a tool',
      'org.opencontainers.image.version': '0.1.0',
      'org.opencontainers.image.revision': 'ffffffffffffffffffffffffffffffffffffffff',
      'org.opencontainers.image.created': '2026-11-23T00:00:00Z',
      'org.opencontainers.image.base.name': 'quay.example.com/runner',
      'org.opencontainers.image.base.digest': publishedDigest,
    },
    paths: {
      ...Object.fromEntries(Object.entries(base.paths ?? {}).map(([path, of]) => [path, { layer: 1, ...of }])),
      '/usr/local/bin/tool': { ...program, layer: top },
    },
  };
}

/** What is known of the base: its config, and by its diff ids the lowest layers. */
export function baseOf(of: PictureOf, digest = baseDigest): BaseFacts {
  const config: ImageConfig = pictureOf(of).config;
  return { reference: `registry.example.com/base@${digest}`, digest, config };
}

export const ubi = (): BaseFacts =>
  baseOf({ layers: layers.slice(0, 1), labels: { name: 'ubi10/ubi', 'com.redhat.component': 'ubi10-container' } });

const gatewayWaiver = {
  rule: 'contract/user-non-root',
  subject: 'User',
  reason: 'the gateway drops to sandbox',
  owner: 'test',
  expires: '2027-12-31',
};

/** check evaluates one picture on one platform, with the base that belongs to the profile. */
export function check(of: PictureOf, profile: EvaluateInput['profile'], more: Partial<EvaluateInput> = {}): Evaluation {
  const base = profile === 'custom' ? baseOf(standard(), publishedDigest) : ubi();
  const waivers = profile === 'openshell' ? [gatewayWaiver] : [];
  return evaluate({
    pictures: [pictureOf(of)],
    base: { 'linux/amd64': base },
    profile,
    contract,
    waivers,
    now,
    ...more,
  });
}

/** What a person would have to look at: everything but notes. */
export const problems = ({ findings }: Evaluation): Finding[] => findings.filter(({ severity }) => severity !== 'note');

export const short = (evaluation: Evaluation): string[] =>
  problems(evaluation).map(({ rule, subject }) => `${rule.replace('contract/', '')} ${subject}`);
