import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { platforms } from '../../src/core/index.ts';
import { PrivateApt } from '../../src/lab/apt.ts';
import { baseParts } from '../../src/lab/base.ts';
import { BlobStore } from '../../src/lab/blobs.ts';
import { runScript } from './containers.ts';
import { solveSets } from '../../src/lab/content.ts';
import { makeImage } from '../../src/lab/oci-image.ts';
import { run } from '../../src/lab/run.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from './use-lab.ts';

let lab: LabState;
beforeAll(async () => {
  lab = await useLab();
});

describe.each(platforms)('the stand-in base on %s', (platform) => {
  test('runs, and has what Dockerfiles lean on', async () => {
    const { output, exitCode } = await runScript(
      lab,
      platform,
      `uname -m; awk 'BEGIN { print 6 * 7 }'; readlink /bin/sh; python3 --version
       groupadd -g 990 one; useradd -u 1000 -g 990 -M -s /sbin/nologin two; id -u two; id -g two
       test -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem; . /etc/os-release; echo "$VARIANT_ID"`,
    );
    expect(exitCode).toBe(0);
    const machine = platform === 'linux/amd64' ? 'x86_64' : 'aarch64';
    expect(output.trim().split('\n')).toEqual([
      machine,
      '42',
      'bash',
      lab.python.replace(/^/, 'Python '),
      '1000',
      '990',
      'lab',
    ]);
  });

  test('dnf installs the counterparts, and dpkg knows them', async () => {
    const { output, exitCode } = await runScript(
      lab,
      platform,
      `dpkg -l jq >/dev/null 2>&1 && echo 'jq was there'
       dnf install -y --allowerasing --nodocs --setopt=install_weak_deps=0 jq nmap-ncat >/dev/null
       echo '{"a": 1}' | jq -c .; command -v nc; dpkg -S /usr/bin/jq; stat -c %a /usr /usr/bin /usr/share; dnf clean all
       dnf remove -y jq; test ! -e /usr/bin/jq; dpkg -l jq >/dev/null 2>&1 || echo 'jq is gone'`,
    );
    expect(output.trim().split('\n')).toEqual([
      ...['{"a":1}', '/usr/bin/nc', 'jq: /usr/bin/jq', '755', '755', '755'],
      ...['0 files removed', 'Complete!', 'jq is gone'],
    ]);
    expect(exitCode).toBe(0);
  });
});

test('dnf refuses a package and an option that it does not know', async () => {
  const { output, exitCode } = await runScript(
    lab,
    'linux/amd64',
    'dnf install -y no-such-thing || echo "code $?"; dnf install -y --skip-broken jq || echo "code $?"',
  );
  expect(exitCode).toBe(0);
  expect(output).toContain('Unable to find a match: no-such-thing\ncode 1');
  expect(output).toContain('does not know the option --skip-broken\ncode 1');
});

test('update-ca-trust adds an anchor to the bundle', async () => {
  const { output } = await runScript(
    lab,
    'linux/amd64',
    `echo 'an anchor' > /etc/pki/ca-trust/source/anchors/a.pem; update-ca-trust
     grep -c 'an anchor' /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/certs/ca-certificates.crt`,
  );
  expect(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(':')[1]),
  ).toEqual(['1', '1']);
});

test("github's stand-in gives gh by its checksum and any commit of the runner, to whoever trusts the lab", async () => {
  const [name = '', sum = ''] = Object.entries(lab.gh.checksums)[0] ?? [];
  const url = `${lab.github}/cli/cli/releases/download/v${lab.gh.version}/${name}`;
  await expect(run('curl', ['--fail', '--silent', '--cacert', '/dev/null', url])).rejects.toThrow('curl failed');
  const clone = await mkdtemp(join(tmpdir(), 'lab-clone-'));
  const git = async (...args: string[]): Promise<string> =>
    run('git', ['-C', clone, ...args], { env: { GIT_SSL_CAINFO: lab.ca } });
  try {
    const file = join(clone, 'gh.tar.gz');
    await run('curl', ['--fail', '--silent', '--noproxy', '*', '--cacert', lab.extraCa, '--output', file, url]);
    expect(await run('sha256sum', [file])).toBe(`${sum}  ${file}\n`);
    await git('init', '--quiet');
    await git(
      'fetch',
      '--quiet',
      '--depth',
      '1',
      `${lab.github}/openshift-online/agent-control-plane`,
      lab.runner.commit,
    );
    expect((await git('rev-parse', 'FETCH_HEAD:components/runners/ambient-runner')).trim()).toBe(lab.runner.tree);
  } finally {
    await rm(clone, { recursive: true });
  }
});

test('the base made anew from nothing has the same digest', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'lab-base-'));
  try {
    const store = new BlobStore(cache);
    const parts = await baseParts(store, cache, await solveSets(new PrivateApt(lab.cache)), lab.packages);
    const image = await makeImage(store, lab.images.base.repository, 'again', parts);
    expect(image.index.digest).toBe(lab.images.base.digest);
  } finally {
    await rm(cache, { recursive: true });
  }
});
