import { describe, expect, it } from 'vitest';
import type { PictureOf } from '../support/picture.ts';
import { both, changed, replacing, withEnv, withLabel, without, withoutEnv, withoutLabel, withPath } from './edit.ts';
import { check, derived, openshell, short, standard } from './good.ts';

type Edit = (image: PictureOf) => PictureOf;
type Row = readonly [what: string, edit: Edit, findings: readonly string[]];

/** One broken requirement each, and exactly its finding: no more, no other. */
const rows: Record<'standard' | 'openshell' | 'custom', readonly Row[]> = {
  standard: [
    ['USER root', changed({ user: 'root' }), ['user-non-root User']],
    ['USER 0:0', changed({ user: '0:0' }), ['user-non-root User']],
    ['USER root:root', changed({ user: 'root:root' }), ['user-non-root User']],
    ['no USER', changed({ user: '' }), ['user-non-root User']],
    ['an unknown user name', changed({ user: 'ghost' }), ['user-non-root User']],
    ['an unknown group name', changed({ user: '1001:ghosts' }), ['user-non-root User']],
    [
      'a name that is UID 0 in passwd',
      both(
        withPath('/etc/passwd', { content: 'toor:x:0:0::/:/bin/sh\nsandbox:x:1000:1000::/:/bin/sh\n' }),
        changed({ user: 'toor' }),
      ),
      ['user-non-root User'],
    ],
    [
      'another UID',
      both(changed({ user: '1002' }), withPath('/app', { mode: 0o777 | 0o1000 })),
      ['user-recommended User'],
    ],
    ['a forbidden variable', withEnv({ SESSION_ID: 'x' }), ['env-forbidden SESSION_ID']],
    ['another HOME', withEnv({ HOME: '/root' }), ['env-home HOME']],
    ['no PYTHONUNBUFFERED', withoutEnv('PYTHONUNBUFFERED'), ['env-recommended PYTHONUNBUFFERED']],
    ['an unknown RUNNER_TYPE', withEnv({ RUNNER_TYPE: 'gpt' }), ['runner-type RUNNER_TYPE']],
    ['no exposed port', changed({ ports: [] }), ['exposed-port 8001/tcp']],
    ['the port exposed over UDP', changed({ ports: ['8001/udp'] }), ['exposed-port 8001/tcp']],
    ['AGUI_PORT beside the exposed port', withEnv({ AGUI_PORT: '9000' }), ['exposed-port AGUI_PORT']],
    ['a removed workspace', without('/workspace'), ['required-path /workspace']],
    ['a file where a directory belongs', replacing('/workspace', {}), ['required-path /workspace']],
    ['/tmp without the sticky bit', withPath('/tmp', { mode: 0o777 }), ['required-path /tmp']],
    ['/app of root alone', withPath('/app', { mode: 0o755, uid: 1001 }), ['arbitrary-uid /app']],
    [
      'a parent that cannot be searched',
      withPath('/etc/pki', { type: 'directory', mode: 0o700, layer: 0 }),
      ['arbitrary-uid /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'],
    ],
    ['an empty start command', changed({ cmd: [] }), ['start-command Cmd']],
    ['a start command that is not there', changed({ cmd: ['/app/start.sh'] }), ['start-command Cmd']],
    [
      'a start script without x',
      both(replacing('/app/start.sh', { content: '#!/bin/bash\n' }), changed({ cmd: ['/app/start.sh'] })),
      ['start-command Cmd'],
    ],
    [
      'a start script whose interpreter is absent',
      both(replacing('/app/start.sh', { mode: 0o755, content: '#!/bin/zsh\n' }), changed({ cmd: ['/app/start.sh'] })),
      ['start-command Cmd'],
    ],
    [
      'an old Python first on PATH',
      both(
        replacing('/usr/bin/python3.9', { mode: 0o755, layer: 0 }),
        withPath('/usr/bin/python3', { link: 'python3.9', layer: 0 }),
      ),
      ['python-version python3', 'runner-package uvicorn'],
    ],
    [
      'no Python',
      without('/app/.venv/bin/python3', '/app/.venv/bin/python', '/usr/bin/python3'),
      ['python-version python3'],
    ],
    ['no runner package', without('/app/ambient-runner/ambient_runner'), ['runner-package ambient_runner']],
    ['no server', without('/app/.venv/lib/python3.12/site-packages/uvicorn'), ['runner-package uvicorn']],
    [
      'one bridge missing',
      without('/app/ambient-runner/ambient_runner/bridges/langgraph'),
      ['bridge ambient_runner.bridges.langgraph'],
    ],
    [
      'a bridge that only its owner can read',
      withPath('/app/ambient-runner/ambient_runner/bridges/claude/__init__.py', { mode: 0o600 }),
      ['bridge ambient_runner.bridges.claude'],
    ],
    ['no main.py', without('/app/ambient-runner/main.py'), ['main /app/ambient-runner/main.py']],
    ['a new SUID program', withPath('/usr/local/bin/gh', { mode: 0o4755 }), ['setid /usr/local/bin/gh']],
    ['a new SGID program', withPath('/usr/local/bin/gh', { mode: 0o2755 }), ['setid /usr/local/bin/gh']],
    [
      'file capabilities',
      withPath('/usr/local/bin/gh', { capabilities: true }),
      ['file-capabilities /usr/local/bin/gh'],
    ],
    ['a world-writable file', replacing('/opt/note', { mode: 0o666 }), ['world-writable /opt/note']],
    [
      'a world-writable directory',
      replacing('/opt/drop', { type: 'directory', mode: 0o777 }),
      ['world-writable /opt/drop'],
    ],
    [
      'a dangling command',
      replacing('/usr/local/bin/claude', { link: '/opt/none' }),
      ['dangling-link /usr/local/bin/claude'],
    ],
    [
      'a loop of links',
      both(replacing('/opt/a', { link: 'b' }), replacing('/opt/b', { link: 'a' })),
      ['dangling-link /opt/a', 'dangling-link /opt/b'],
    ],
    [
      'a layer that wrote through a link',
      changed({ overLinks: [{ path: '/opt/x/file', link: '/opt/x', layer: 1 }] }),
      ['write-through-link /opt/x/file'],
    ],
    ['no title', withoutLabel('org.opencontainers.image.title'), ['label-required org.opencontainers.image.title']],
    [
      'an empty revision',
      withLabel('org.opencontainers.image.revision', ''),
      ['label-required org.opencontainers.image.revision'],
    ],
    [
      'a short revision',
      withLabel('org.opencontainers.image.revision', '0123456'),
      ['label-value org.opencontainers.image.revision'],
    ],
    [
      'a label of the base',
      withLabel('com.redhat.component', 'ubi10-container'),
      ['label-inherited com.redhat.component'],
    ],
    [
      'a misspelt label',
      withLabel('io.ambient-code.runner-contract', '1'),
      ['label-unread io.ambient-code.runner-contract'],
    ],
    ['a misspelt expiry', withLabel('quay.expires_after', '48h'), ['label-unread quay.expires_after']],
    ['an expiry that Quay cannot read', withLabel('quay.expires-after', '2 days'), ['label-expiry quay.expires-after']],
    [
      'no contract version',
      withoutLabel('io.ambient-code.runner-contract-version'),
      ['label-required io.ambient-code.runner-contract-version'],
    ],
    [
      'another contract version',
      withLabel('io.ambient-code.runner-contract-version', '2'),
      ['version io.ambient-code.runner-contract-version'],
    ],
    ['another base layer', changed({ layers: ['ADD file:other.tar in /', 'COPY . /'] }), ['base-layers layer 0']],
    [
      'another base digest',
      withLabel('org.opencontainers.image.base.digest', `sha256:${'0'.repeat(64)}`),
      ['base-digest org.opencontainers.image.base.digest'],
    ],
    ['a size above the budget', changed({ layerSize: 500_000_000 }), ['size-budget size']],
    [
      'bytes that ship twice',
      changed({ shadowed: [{ path: '/opt/big', layer: 0, by: 1, size: 50_000_000 }] }),
      ['wasted-bytes wasted'],
    ],
    ['no policy', without('/etc/openshell/policy.yaml'), ['policy-shape /etc/openshell/policy.yaml']],
  ],
  openshell: [
    [
      'no sandbox user',
      withPath('/etc/passwd', { content: 'root:x:0:0::/:/bin/sh\n' }),
      ['runtime-access sandbox', 'policy-identity process.run_as_user'],
    ],
    [
      'a workspace that only another user and group 0 can write',
      withPath('/sandbox/workspace', { uid: 1001, mode: 0o775 }),
      ['runtime-access /sandbox/workspace'],
    ],
    ['a venv without uvicorn', without('/sandbox/.venv/bin/uvicorn'), ['required-path /sandbox/.venv/bin/uvicorn']],
    [
      'a dangling interpreter',
      without('/sandbox/.uv/python/cpython-3.14.3-linux-x86_64-gnu/bin'),
      [
        'runner-package uvicorn',
        'required-path /sandbox/.venv/bin/python',
        'required-path /sandbox/.venv/bin/python3',
        'policy-binary /sandbox/.uv/python/cpython-*/bin/python3.14',
        'mcp-command /sandbox/.mcp.json atlassian',
      ],
    ],
    [
      'a workspace that group 0 cannot write',
      withPath('/sandbox/workspace', { mode: 0o755 }),
      ['arbitrary-uid /sandbox/workspace'],
    ],
    [
      'a start script without x',
      withPath('/runner/entrypoint.sh', { mode: 0o644 }),
      ['arbitrary-uid /runner/entrypoint.sh'],
    ],
  ],
  custom: [
    ['a forbidden variable', withEnv({ BACKEND_API_URL: 'http://x' }), ['env-forbidden BACKEND_API_URL']],
    ['a changed AGUI_PORT', withEnv({ AGUI_PORT: '9000' }), ['env-forbidden AGUI_PORT']],
    ['USER root', changed({ user: '0' }), ['user-non-root User']],
    ['another start command', changed({ cmd: ['/usr/local/bin/tool'] }), ['entrypoint Entrypoint']],
    [
      'a wrapper that does not exec',
      both(replacing('/usr/local/bin/wrap', { mode: 0o755, content: '#!/bin/bash\n"$@"\n' }), (image) => ({
        ...image,
        entrypoint: ['/usr/local/bin/wrap'],
      })),
      ['entrypoint Entrypoint'],
    ],
    [
      'the description of the base',
      withLabel('org.opencontainers.image.title', 'Ambient runner'),
      ['label-inherited org.opencontainers.image.title'],
    ],
    [
      'the input digest of the base',
      withLabel('io.ambient-code.input-digest', standard().labels?.['io.ambient-code.input-digest'] ?? ''),
      ['label-inherited io.ambient-code.input-digest'],
    ],
    [
      'another Python first on PATH',
      both(
        replacing('/app/.venv/bin/python3', { link: '/opt/python/bin/python3.13', layer: 2 }),
        replacing('/opt/python/bin/python3.13', { mode: 0o755, layer: 2 }),
        replacing('/app/.venv/lib/python3.13/site-packages/uvicorn/__init__.py', { layer: 2 }),
      ),
      ['python-same python3'],
    ],
    [
      'a removed /app/ambient-runner/main.py',
      without('/app/ambient-runner/main.py'),
      ['main /app/ambient-runner/main.py'],
    ],
    ['a flattened image', changed({ layers: ['COPY --from=build / /'] }), ['base-layers layer 0']],
    ['too much added', changed({ layerSize: 2_000_000_000 }), ['size-budget size']],
  ],
};

const image = { standard, openshell, custom: derived };

describe.each(['standard', 'openshell', 'custom'] as const)('a broken %s image', (profile) => {
  it.each(rows[profile])('with %s yields exactly its finding', (_, edit, expected) => {
    expect(short(check(edit(image[profile]()), profile)).sort()).toEqual([...expected].sort());
  });
});
