import { describe, expect, test } from 'vitest';
import { prepare, readDistribution } from '../../src/lab/setup/install.ts';
import { buildxPlugin, needs } from '../../src/lab/setup/needs.ts';
import { parseOsRelease, releases } from '../../src/lab/setup/release.ts';
import { fakeHost, type FakeHost } from '../support/fake-host.ts';

interface Machine {
  readonly host: FakeHost;
  /** apt-get's arguments, one line for each call. */
  readonly apt: string[];
}

/** A machine that has `there`, and whose apt brings what the packages of a release are known to bring. */
function machine(
  there: readonly string[],
  brings: Readonly<Record<string, readonly string[]>> = {},
  stderr = '',
): Machine {
  const present = new Set(there);
  const apt: string[] = [];
  const host = fakeHost({
    run: async (command, args) => {
      const ok = { exitCode: 0, stdout: '', stderr: '' };
      if (command === 'sh') return { ...ok, exitCode: present.has(args.at(-1) ?? '') ? 0 : 1 };
      const words = command === 'sudo' ? args.slice(1) : args;
      apt.push(words.join(' '));
      if (stderr !== '' && words[0] === 'install') return { exitCode: 100, stdout: '', stderr };
      if (words[0] === 'install')
        for (const name of words) for (const brought of brings[name] ?? []) present.add(brought);
      return ok;
    },
  });
  return { host, apt };
}

const commandsOf = (release: (typeof releases)[number]): string[] => needs[release].map(({ command }) => command);
const without = (release: (typeof releases)[number], ...gone: string[]): string[] =>
  commandsOf(release).filter((command) => !gone.includes(command));

describe('os-release', () => {
  test.each([
    [
      'debian 12',
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
    ],
    ['debian 13', 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nDEBIAN_VERSION_FULL=13.2\nID=debian\n'],
    ['ubuntu 22.04', 'PRETTY_NAME=\'Ubuntu 22.04.5 LTS\'\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n'],
    ['ubuntu 24.04', 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'],
  ])('of %s is recognized', (release, text) => {
    const distribution = parseOsRelease(text);
    expect(distribution.release).toBe(release);
    expect(text).toContain(distribution.name);
  });

  test.each([
    ['testing has no version', 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n', 'Debian GNU/Linux forky/sid'],
    ['a derivative', 'ID=linuxmint\nVERSION_ID="22"\nID_LIKE="ubuntu debian"\n', 'linuxmint 22'],
    ['nothing', '', 'an unknown system'],
  ])('%s is not taken for a release that setup knows', (_name, text, name) => {
    expect(parseOsRelease(text)).toEqual({ name, release: undefined });
  });

  test('of this machine is read', async () => {
    expect((await readDistribution(fakeHost())).name).not.toBe('');
  });
});

describe('the packages of a release', () => {
  const packagesOn = (release: (typeof releases)[number]) => needs[release].map(({ debianPackage }) => debianPackage);

  test('are those that it has: Debian 13 splits Docker and QEMU, Debian 12 has no buildx', () => {
    expect(packagesOn('debian 13')).toEqual(
      expect.arrayContaining(['docker.io', 'docker-cli', 'docker-buildx', 'qemu-user', 'qemu-user-binfmt']),
    );
    expect(packagesOn('debian 13')).not.toContain('qemu-user-static');
    expect(packagesOn('debian 12')).toEqual(
      expect.arrayContaining(['docker.io', 'qemu-user-static', 'binfmt-support']),
    );
    expect(packagesOn('debian 12')).not.toContain('docker-cli');
    expect(packagesOn('debian 12')).not.toContain('docker-buildx');
  });

  test.each(releases)('on %s bring every program that is needed on the others', (release) => {
    const common = (list: readonly string[]) =>
      list.filter((command) => !/qemu|binfmt/.test(command) && command !== buildxPlugin).sort();
    expect(common(commandsOf(release))).toEqual(common(commandsOf('debian 12')));
  });
});

describe('setup', () => {
  const trixie = { name: 'Debian GNU/Linux 13 (trixie)', release: 'debian 13' } as const;

  test('asks apt for nothing where nothing is missing', async () => {
    const { host, apt } = machine(commandsOf('debian 13'));
    expect(await prepare(host, trixie)).toEqual([]);
    expect(apt).toEqual([]);
  });

  test('installs what is missing, and never removes a package for it', async () => {
    const brings = { 'docker-cli': ['docker'], 'openssh-client': ['ssh'] };
    const { host, apt } = machine(without('debian 13', 'docker', 'ssh'), brings);
    expect(await prepare(host, trixie)).toEqual(['openssh-client', 'docker-cli']);
    expect(apt).toEqual(['update', 'install -y --no-install-recommends --no-remove openssh-client docker-cli']);
  });

  test('leaves a Docker that came from elsewhere', async () => {
    const { host, apt } = machine(without('debian 12', 'zstd'), { zstd: ['zstd'] });
    await prepare(host, { name: 'Debian GNU/Linux 12 (bookworm)', release: 'debian 12' });
    expect(apt.at(-1)).toMatch(/--no-remove zstd$/);
  });

  test('says what apt refused: exit 4', async () => {
    const refusal = 'E: Packages need to be removed but remove is disabled.';
    const { host } = machine(without('debian 13', 'dockerd'), {}, refusal);
    await expect(prepare(host, trixie)).rejects.toMatchObject({
      code: 'setup/apt',
      exit: 4,
      facts: { found: refusal, hint: expect.stringContaining('docker.io') as string },
    });
  });

  test('fails when a package did not bring what it was installed for', async () => {
    const { host } = machine(without('debian 13', 'ssh'));
    await expect(prepare(host, trixie)).rejects.toMatchObject({
      code: 'setup/missing',
      exit: 4,
      facts: { expected: expect.stringContaining('ssh (') as string },
    });
  });

  test('guesses no package names: an unknown system is told what to install, if anything', async () => {
    const unknown = parseOsRelease('PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nVERSION_ID="22"\n');
    const lacking = machine(without('debian 13', 'skopeo'));
    await expect(prepare(lacking.host, unknown)).rejects.toMatchObject({
      code: 'setup/release',
      exit: 4,
      facts: { found: 'Linux Mint 22', hint: expect.stringContaining('skopeo (') as string },
    });
    expect(lacking.apt).toEqual([]);
    for (const release of releases) expect(await prepare(machine(commandsOf(release)).host, unknown)).toEqual([]);
  });
});
