import { describe, expect, test } from 'vitest';
import { inRoom, type RoomOptions } from './room.ts';

const wrapper = '/app/standard-claude-wrapper.sh';
const claude = '#!/bin/bash\necho "claude pid=$$ args=$*"\n';
const supervisor = `#!/bin/bash
echo "supervisor args=$*"
ip netns list | sort | sed 's/^/netns /'
ip -br link | sed 's/^/link /; s/@.*//' | sort
ip route | sed 's/^/route /'
echo "rp_filter=$(cat /proc/sys/net/ipv4/conf/default/rp_filter)$(cat /proc/sys/net/ipv4/conf/all/rp_filter)"
`;

/** Makes what a supervisor makes: a namespace, a veth pair into it, and the route to it. */
const namespaces = (...names: string[]): string =>
  names
    .map((name) => {
      const id = name.replace(/^sandbox-/, '');
      return `ip netns add ${name} && ip link add veth-h-${id} type veth peer name veth-s-${id} netns ${name} &&
              ip addr add 10.200.0.1/24 dev veth-h-${id} && ip link set veth-h-${id} up || exit 99`;
    })
    .join('\n');

function call(options: Partial<RoomOptions> & { readonly run: string }): ReturnType<typeof inRoom> {
  return inRoom({
    image: 'standard',
    before: 'mkdir -p "$ROOT/run/netns"; mount -t sysfs sysfs "$ROOT/sys"',
    ...options,
    programs: { '/usr/local/bin/claude': claude, '/openshell-sandbox': supervisor, ...options.programs },
  });
}

describe('without the sandbox', () => {
  test.each(['', 'export OPENSHELL_ENABLED=false;', 'export OPENSHELL_ENABLED=;'])(
    '%j runs claude as it is',
    async (set) => {
      const result = await call({ run: `${set} echo "started=$BASHPID"; exec ${wrapper} --version "a b"` });
      const started = /started=(\d+)/.exec(result.stdout)?.[1];
      expect(result).toEqual({
        exitCode: 0,
        stdout: `started=${String(started)}\nclaude pid=${String(started)} args=--version a b\n`,
        stderr: '',
      });
    },
  );

  test('CLAUDE_CLI_PATH names another claude', async () => {
    const result = await call({
      programs: { '/opt/claude': '#!/bin/bash\necho "mine $*"\n' },
      run: `CLAUDE_CLI_PATH=/opt/claude ${wrapper} x`,
    });
    expect(result.stdout).toBe('mine x\n');
  });

  test('namespaces are not touched', async () => {
    const result = await call({ run: `${namespaces('sandbox-old')}\n${wrapper}; ip netns list` });
    expect(result.stdout).toContain('sandbox-old');
  });
});

describe('recursion', () => {
  test.each([
    ['itself', wrapper],
    ['a link to itself', '/tmp/link'],
  ])('CLAUDE_CLI_PATH naming %s is refused', async (_what, path) => {
    const result = await call({ run: `ln -s ${wrapper} /tmp/link; CLAUDE_CLI_PATH=${path} timeout 5 ${wrapper}` });
    expect(result.exitCode).toBe(64);
    expect(result.stderr).toContain(`names this wrapper: ${path}`);
  });

  test('a bare name, which PATH could lead back here, is refused', async () => {
    const result = await call({
      run: `mkdir /tmp/bin; ln -s ${wrapper} /tmp/bin/claude
            PATH=/tmp/bin:/usr/bin:/bin CLAUDE_CLI_PATH=claude timeout 5 ${wrapper}`,
    });
    expect(result.exitCode).toBe(64);
    expect(result.stderr).toContain("must be an absolute path, found 'claude'");
  });

  test('with the wrapper first on PATH as claude, the real one runs once', async () => {
    const result = await call({
      run: `mkdir /tmp/bin; ln -s ${wrapper} /tmp/bin/claude; PATH=/tmp/bin:/usr/bin:/bin timeout 5 claude once`,
    });
    expect(result.stdout).toMatch(/^claude pid=\d+ args=once\n$/);
  });
});

describe('with the sandbox', () => {
  const on = 'export OPENSHELL_ENABLED=true';

  test('the supervisor gets the defaults and claude with its arguments', async () => {
    const result = await call({ run: `${on}; ${wrapper} --print "a b"` });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(
      'supervisor args=--policy-rules /etc/openshell/policy.rego --policy-data /etc/openshell/policy.yaml ' +
        '--log-level warn -- /usr/local/bin/claude --print a b\n',
    );
    expect(result.stdout).toContain('rp_filter=00');
  });

  test('every default can be replaced', async () => {
    const result = await call({
      files: { '/etc/own.rego': '', '/etc/own.yaml': '' },
      run: `${on}; OPENSHELL_POLICY_RULES=/etc/own.rego OPENSHELL_POLICY_DATA=/etc/own.yaml OPENSHELL_LOG_LEVEL=debug ${wrapper}`,
    });
    expect(result.stdout).toContain(
      'args=--policy-rules /etc/own.rego --policy-data /etc/own.yaml --log-level debug -- /usr/local/bin/claude\n',
    );
  });

  test('stale namespaces and their host interfaces go, with the route; foreign ones stay', async () => {
    const result = await call({
      run: `${namespaces('sandbox-dead1', 'sandbox-dead2', 'other')}
            ip route | grep -c 10.200.0.0/24
            ${on}; ${wrapper}`,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stdout.split('\n')[0]).toBe('3');
    expect(result.stdout.match(/^netns .*/gm)).toEqual([expect.stringMatching(/^netns other/)]);
    expect(result.stdout.match(/^link veth.*/gm)).toEqual([expect.stringMatching(/^link veth-h-other/)]);
    expect(result.stdout.match(/^route 10\.200\.0\.0\/24.*/gm)).toHaveLength(1);
    expect(result.stderr).toBe(
      'standard-claude-wrapper: removed stale network namespace sandbox-dead1\n' +
        'standard-claude-wrapper: removed stale network namespace sandbox-dead2\n',
    );
  });

  test('a host interface whose namespace lost its mount is still removed', async () => {
    const result = await call({
      run: `${namespaces('sandbox-half')}
            sleep 30 & nsenter --net=/run/netns/sandbox-half sleep 30 &
            sleep 0.2; umount /run/netns/sandbox-half
            ${on}; ${wrapper}; kill %1 %2`,
    });
    expect(result.stdout).not.toContain('link veth-h-half');
    expect(result.stdout).not.toContain('netns sandbox-half');
  });

  test('the namespace of a supervisor that still runs is left alone', async () => {
    const result = await call({
      run: `cp /usr/bin/sleep /openshell-sandbox
            ${namespaces('sandbox-live', 'sandbox-dead')}
            /openshell-sandbox 30 & ip netns exec sandbox-live sleep 30 & sleep 0.3
            ${on}; ${wrapper} 2>/tmp/log; cat /tmp/log; ip netns list; kill %1 %2`,
    });
    expect(result.stdout).toContain('network namespace sandbox-live is in use by a running supervisor: left alone');
    expect(result.stdout).toContain('removed stale network namespace sandbox-dead');
    expect(result.stdout).toMatch(/^sandbox-live/m);
    expect(result.stdout).not.toMatch(/^sandbox-dead/m);
  });

  test('a namespace with an orphan in it, but no supervisor, is stale', async () => {
    const result = await call({
      run: `${namespaces('sandbox-orphan')}
            ip netns exec sandbox-orphan sleep 30 & sleep 0.2
            ${on}; ${wrapper}; kill %1`,
    });
    expect(result.stdout).not.toContain('netns sandbox-orphan');
    expect(result.stdout).not.toContain('link veth-h-orphan');
  });

  test('a read-only /proc/sys is opened for the two keys and closed again', async () => {
    const result = await call({
      run: `echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 1 >/proc/sys/net/ipv4/conf/default/rp_filter
            mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
            ! echo 1 2>/dev/null >/proc/sys/net/ipv4/conf/all/rp_filter || exit 98
            ${on}; ${wrapper}; grep ' /proc/sys ' /proc/mounts`,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('rp_filter=00');
    expect(result.stdout).toMatch(/proc \/proc\/sys proc ro/);
  });

  test('without the right to change the kernel setting it says so and goes on', async () => {
    const result = await call({
      run: `echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter
            ${on}; setpriv --bounding-set=-all --inh-caps=-all --reuid 1001 --regid 0 --clear-groups ${wrapper}`,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('could not set /proc/sys/net/ipv4/conf/all/rp_filter to 0');
    expect(result.stdout).toContain('supervisor args=');
  });

  test('works from an empty environment: its tools are not looked up on the caller PATH', async () => {
    const result = await call({
      run: `${namespaces('sandbox-x')}\nenv -i OPENSHELL_ENABLED=true PATH=/nowhere ${wrapper} 2>/tmp/log; cat /tmp/log`,
      programs: { '/openshell-sandbox': '#!/bin/bash\necho "PATH=$PATH"\n' },
    });
    expect(result.stdout).toBe(
      'PATH=/nowhere\nstandard-claude-wrapper: removed stale network namespace sandbox-x\n'.replace(
        'PATH=/nowhere\n',
        'PATH=/nowhere\n',
      ),
    );
  });

  test('keeps the process id', async () => {
    const result = await call({
      programs: { '/openshell-sandbox': '#!/bin/bash\necho "pid=$$"\n' },
      run: `${on}; echo "started=$BASHPID"; exec ${wrapper}`,
    });
    const started = /started=(\d+)/.exec(result.stdout)?.[1];
    expect(result.stdout).toBe(`started=${String(started)}\npid=${String(started)}\n`);
  });
});

describe('refusals: never without the sandbox that was asked for', () => {
  test('a missing supervisor', async () => {
    const result = await call({ run: `rm /openshell-sandbox; OPENSHELL_ENABLED=true ${wrapper}` });
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('/openshell-sandbox is missing or not executable');
    expect(result.stdout).toBe('');
  });

  test('a missing policy file', async () => {
    const result = await call({ run: `rm /etc/openshell/policy.yaml; OPENSHELL_ENABLED=true ${wrapper}` });
    expect(result.exitCode).toBe(66);
    expect(result.stderr).toContain('policy file /etc/openshell/policy.yaml is missing or not readable');
  });

  test.each(['TRUE', '1', 'yes', 'ture'])('OPENSHELL_ENABLED=%s', async (value) => {
    const result = await call({ run: `OPENSHELL_ENABLED=${value} ${wrapper}` });
    expect(result.exitCode).toBe(64);
    expect(result.stderr).toContain(`OPENSHELL_ENABLED must be true or false, found '${value}'`);
    expect(result.stdout).toBe('');
  });

  test('a missing claude', async () => {
    const result = await call({ run: `CLAUDE_CLI_PATH=/nowhere/claude ${wrapper}` });
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('/nowhere/claude is missing or not executable');
  });
});
