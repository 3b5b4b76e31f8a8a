import { expect, test } from 'vitest';
import { inRoom, type RoomOptions } from './room.ts';

const real = '/usr/local/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe';
const authority = '/etc/openshell-tls/openshell-ca.pem';
const program = `#!/bin/bash
echo "args=$*"
for name in HOME CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS ANTHROPIC_BASE_URL ANTHROPIC_API_KEY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS; do
  echo "$name=\${!name-unset}"
done
`;

function call(options: Partial<RoomOptions> & { readonly run: string }): ReturnType<typeof inRoom> {
  return inRoom({
    image: 'openshell',
    ...options,
    files: { [authority]: 'certificate\n', ...options.files },
    programs: { [real]: program, ...options.programs },
  });
}

const routed = `HOME=/sandbox
CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1
ANTHROPIC_BASE_URL=https://inference.local
ANTHROPIC_API_KEY=openshell-gateway-holds-the-key
HTTPS_PROXY=http://10.200.0.1:3128
NO_PROXY=127.0.0.1,localhost,::1
NODE_EXTRA_CA_CERTS=/etc/openshell-tls/openshell-ca.pem
`;

test('where the gateway mounted its authority, calls go through the gateway', async () => {
  const result = await call({ run: 'claude --print "two words" \'*\''.replace('claude', '/usr/local/bin/claude') });
  expect(result).toEqual({ exitCode: 0, stdout: `args=--bare --print two words *\n${routed}`, stderr: '' });
});

test('where there is no gateway, only home and betas are set', async () => {
  const result = await call({
    before: `rm "$ROOT${authority}"`,
    run: 'ANTHROPIC_API_KEY=own /usr/local/bin/claude',
  });
  expect(result.stdout).toBe(`args=--bare
HOME=/sandbox
CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1
ANTHROPIC_BASE_URL=unset
ANTHROPIC_API_KEY=own
HTTPS_PROXY=unset
NO_PROXY=unset
NODE_EXTRA_CA_CERTS=unset
`);
});

test('the proxy of another topology is kept, here a sidecar on the loopback', async () => {
  const result = await call({
    run: 'ANTHROPIC_BASE_URL=https://inference.local HTTPS_PROXY=http://127.0.0.1:3128 /usr/local/bin/claude',
  });
  expect(result.stdout).toBe(`args=--bare\n${routed.replace('10.200.0.1', '127.0.0.1')}`);
});

test('a base URL that the caller chose is respected with everything that goes with it', async () => {
  const result = await call({
    run: 'ANTHROPIC_BASE_URL=https://own.example ANTHROPIC_API_KEY=own /usr/local/bin/claude',
  });
  expect(result.stdout).toContain('ANTHROPIC_BASE_URL=https://own.example\nANTHROPIC_API_KEY=own\nHTTPS_PROXY=unset\n');
});

test('every call in a clean environment is routed alike, and leaves no file behind', async () => {
  const result = await call({
    // The real program calls `claude` again, as a subagent does: twice with nothing, once with a part.
    programs: {
      [real]: `${program}
if [[ $2 == outer ]]; then
  env -i /usr/local/bin/claude inner
  env -i /usr/local/bin/claude inner
  env -u HTTPS_PROXY -u NODE_EXTRA_CA_CERTS claude inner
fi
`,
    },
    run: `touch /tmp/before; PATH=/usr/local/bin:/usr/bin:/bin /usr/local/bin/claude outer
          find / -xdev -newer /tmp/before -type f -not -path '/proc/*' | sort`,
  });
  expect(result.exitCode).toBe(0);
  expect(result.stdout).toBe(`args=--bare outer\n${routed}${`args=--bare inner\n${routed}`.repeat(3)}`);
});

test('with itself first on PATH it runs the real program once, not itself for ever', async () => {
  const result = await call({ run: 'PATH=/usr/local/bin:/usr/bin:/bin; export PATH; claude once' });
  expect(result.stdout.match(/args=--bare once/g)).toHaveLength(1);
});

test('no variable makes it run something else', async () => {
  const other = '#!/bin/bash\necho other\n';
  const result = await call({
    programs: { '/tmp/claude.exe': other, '/tmp/claude': other },
    run: 'cd /tmp; PATH=/tmp CLAUDE_CLI_PATH=/tmp/claude real=/tmp/claude CLAUDE_BIN=/tmp/claude /usr/local/bin/claude',
  });
  expect(result.stdout).toContain('args=--bare\n');
  expect(result.stdout).not.toContain('other');
});

test('keeps the process id and hands on the exit code', async () => {
  const result = await call({
    programs: { [real]: '#!/bin/bash\necho "pid=$$"; exit 42\n' },
    run: 'echo "started=$BASHPID"; exec /usr/local/bin/claude',
  });
  expect(result.exitCode).toBe(42);
  const started = /started=(\d+)/.exec(result.stdout)?.[1];
  expect(result.stdout).toBe(`started=${String(started)}\npid=${String(started)}\n`);
});

test('a missing program is named, not looked for elsewhere', async () => {
  const result = await call({
    before: `rm "$ROOT/stage-local/\${REAL#/usr/local/}"`.replace(
      '${REAL#/usr/local/}',
      real.replace('/usr/local/', ''),
    ),
    run: '/usr/local/bin/claude',
  });
  expect(result.exitCode).toBe(127);
  expect(result.stderr).toBe(`claude: error: ${real} is missing or not executable\n`);
});
