import { describe, expect, test } from 'vitest';
import { inRoom, type RoomOptions } from './room.ts';

/** Prints what the runner would see, in place of uvicorn. */
const uvicorn = `#!/bin/bash
echo "pid=$$ cwd=$PWD args=$*"
echo "path=$PATH"
echo "venv=$VIRTUAL_ENV home=$HOME workspace=$WORKSPACE_PATH port=$AGUI_PORT shell=$SHELL unbuffered=$PYTHONUNBUFFERED"
`;

const file = '/etc/resolv.conf';
const kubernetes = 'search a.svc b.svc cluster.local\nnameserver 10.0.0.10\noptions ndots:5 edns0\n';

function start(options: Partial<RoomOptions>): ReturnType<typeof inRoom> {
  return inRoom({
    image: 'openshell',
    run: '/runner/entrypoint.sh && cat /etc/resolv.conf',
    ...options,
    files: { '/runner/ambient-runner/main.py': '', [file]: kubernetes, ...options.files },
    programs: { '/sandbox/.venv/bin/uvicorn': uvicorn, ...options.programs },
  });
}

const expected = 'search a.svc b.svc cluster.local\nnameserver 10.0.0.10\noptions edns0\noptions ndots:1\n';

describe('resolv.conf', () => {
  test('a plain file gets ndots:1 and keeps everything else', async () => {
    const result = await start({});
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(expected);
    expect(result.stderr).toContain('set ndots:1');
  });

  test('a bind mount, over which a rename fails with EBUSY, is written in place', async () => {
    const result = await start({
      before:
        'cp "$ROOT/etc/resolv.conf" "$ROOT/tmp/mounted"; mount --bind "$ROOT/tmp/mounted" "$ROOT/etc/resolv.conf"',
      // The rename that `sed -i` does, to show that the mount is what a pod has.
      run: '! sed -i s/x/y/ /etc/resolv.conf && /runner/entrypoint.sh && cat /tmp/mounted',
    });
    expect(result.stderr).toMatch(/cannot rename .*Device or resource busy/);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(expected);
  });

  test('a read-only bind mount is left as it is, said so, and the runner starts', async () => {
    const result = await start({
      before: `mount --bind "$ROOT/etc/resolv.conf" "$ROOT/etc/resolv.conf"
               mount -o remount,bind,ro "$ROOT/etc/resolv.conf"`,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toBe(
      'entrypoint: /etc/resolv.conf cannot be written (read-only mount or non-root user): ndots is left as it is\n',
    );
    expect(result.stdout).toContain(kubernetes);
    expect(result.stdout).toContain('args=main:app');
  });

  test('a user who may not write leaves it, says so, and the runner starts', async () => {
    const result = await start({ user: 1_000_680_000, before: 'chmod 644 "$ROOT/etc/resolv.conf"' });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('cannot be written');
    expect(result.stdout).toContain(kubernetes);
    expect(result.stdout).toContain('args=main:app');
  });

  test('a file that may not even be read is said so', async () => {
    const result = await start({
      user: 1000,
      before: 'chmod 600 "$ROOT/etc/resolv.conf"; chown 1:1 "$ROOT/etc/resolv.conf"',
      run: '/runner/entrypoint.sh',
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('cannot be read');
  });

  test('ndots:15 is not taken for ndots:1', async () => {
    const result = await start({ files: { [file]: 'nameserver 1.2.3.4\noptions ndots:15\n' } });
    expect(result.stdout).toContain('nameserver 1.2.3.4\noptions ndots:1\n');
    expect(result.stdout).not.toContain('ndots:15');
  });

  test('a later line that contradicts an earlier ndots:1 is replaced', async () => {
    const result = await start({ files: { [file]: 'options ndots:1\noptions\ttimeout:2 ndots:5\n' } });
    expect(result.stdout.endsWith('options timeout:2\noptions ndots:1\n')).toBe(true);
  });

  test('a file without options, and without a final newline, gets the option on a line of its own', async () => {
    const result = await start({ files: { [file]: 'nameserver 1.2.3.4' } });
    expect(result.stdout.endsWith('nameserver 1.2.3.4\noptions ndots:1\n')).toBe(true);
  });

  test('comments and glob characters survive', async () => {
    const result = await start({ files: { [file]: '# options ndots:9 *\nsearch *\n' } });
    expect(result.stdout.endsWith('# options ndots:9 *\nsearch *\noptions ndots:1\n')).toBe(true);
  });

  test('a second start changes nothing, not even the time of the file', async () => {
    const result = await start({
      run: `/runner/entrypoint.sh >/dev/null
            touch -d 2001-01-01 /etc/resolv.conf; cp -p /etc/resolv.conf /tmp/first
            /runner/entrypoint.sh >/dev/null
            cmp /etc/resolv.conf /tmp/first && stat -c %y /etc/resolv.conf`,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('2001-01-01');
    expect(result.stderr.match(/set ndots:1/g)).toHaveLength(1);
  });

  test('an absent file is no error', async () => {
    const result = await start({ before: 'rm "$ROOT/etc/resolv.conf"', run: '/runner/entrypoint.sh; ls /etc' });
    expect(result.stdout).toContain('args=main:app');
    expect(result.stdout).not.toContain('resolv.conf');
    expect(result.stderr).toContain('/etc/resolv.conf is absent');
  });
});

describe('the runner', () => {
  test('starts in its source directory on port 8001 from an empty environment', async () => {
    const result = await start({ run: '/runner/entrypoint.sh' });
    expect(result.stdout).toContain('cwd=/runner/ambient-runner args=main:app --host 0.0.0.0 --port 8001');
    // And not bash's built-in PATH, which on Debian ends in the working directory.
    expect(result.stdout).toContain('path=/sandbox/.venv/bin:/usr/local/bin:/usr/bin:/bin\n');
    expect(result.stdout).toContain(
      'venv=/sandbox/.venv home=/sandbox workspace=/sandbox/workspace port=8001 shell=/bin/bash unbuffered=1',
    );
  });

  test('takes AGUI_PORT and what else the control plane injects', async () => {
    const result = await start({
      run: 'AGUI_PORT=9009 WORKSPACE_PATH=/elsewhere HOME=/h PATH=/opt/tool/bin:/usr/bin /runner/entrypoint.sh',
    });
    expect(result.stdout).toContain('--port 9009');
    expect(result.stdout).toContain('workspace=/elsewhere port=9009');
    expect(result.stdout).toContain('path=/sandbox/.venv/bin:/usr/local/bin:/usr/bin:/bin:/opt/tool/bin:/usr/bin\n');
  });

  test.each(['', '0', '65536', '80a', '-1', '99999999999999999999', '08001', '$(id)', '1 2'])(
    'AGUI_PORT=%j is taken as the default when empty, else refused by name',
    async (port) => {
      const result = await start({ run: `AGUI_PORT='${port}' /runner/entrypoint.sh` });
      if (port === '') {
        expect(result.stdout).toContain('--port 8001');
        return;
      }
      expect(result.exitCode).toBe(64);
      expect(result.stderr).toContain(`AGUI_PORT must be a port number from 1 to 65535, found '${port}'`);
      expect(result.stdout).toBe('');
    },
  );

  test('a missing uvicorn is named', async () => {
    const result = await start({ before: 'rm "$ROOT/sandbox/.venv/bin/uvicorn"', run: '/runner/entrypoint.sh' });
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('/sandbox/.venv/bin/uvicorn is missing');
  });

  test('a missing source directory is named', async () => {
    const result = await start({ before: 'rm -r "$ROOT/runner/ambient-runner"', run: '/runner/entrypoint.sh' });
    expect(result.exitCode).toBe(66);
    expect(result.stderr).toContain('/runner/ambient-runner');
  });

  test('keeps the process id of the start script', async () => {
    const result = await start({ run: 'echo "started=$BASHPID"; exec /runner/entrypoint.sh' });
    const started = /started=(\d+)/.exec(result.stdout)?.[1];
    expect(started).toBeDefined();
    expect(result.stdout).toContain(`pid=${String(started)} `);
  });

  test('gets the signal that is sent to the start script', async () => {
    const result = await start({
      programs: {
        '/sandbox/.venv/bin/uvicorn': `#!/bin/bash
trap 'echo terminated; exit 7' TERM
touch /tmp/ready
while :; do sleep 0.05; done
`,
      },
      run: `/runner/entrypoint.sh & pid=$!
            for _ in {1..100}; do [[ -e /tmp/ready ]] && break; sleep 0.05; done
            kill -TERM "$pid"; wait "$pid"; echo "status=$?"`,
    });
    expect(result.stdout).toBe('terminated\nstatus=7\n');
  });
});
