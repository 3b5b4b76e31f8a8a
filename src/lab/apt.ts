import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../errors/index.ts';
import { exists, host } from './host.ts';
import { suite, type Architecture } from './packages.ts';
import { run } from './run.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Deb is one package of a solved set, downloaded and verified by apt. */
export interface Deb {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly file: string;
  readonly sha256: string;
  /** The stanza as dpkg's status file holds it, without the Status line. */
  readonly control: string;
  /** Each inner list is one or-group of package names. */
  readonly depends: readonly (readonly string[])[];
  readonly provides: readonly string[];
}

/** The mirror is what apt itself uses here; a machine without a Debian mirror names one. */
async function findMirror(): Promise<string> {
  const named = process.env['RUNNER_IMAGE_LAB_MIRROR'];
  if (named !== undefined && named !== '') return named;
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const found = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri.trim()));
  if (found !== undefined) return found.trim();
  throw new AppError('lab/no-mirror', 'machine', "no Debian mirror in apt's sources", {
    expected: 'a source whose address ends with /debian',
    hint: `run apt-get update, or set RUNNER_IMAGE_LAB_MIRROR to a mirror that carries ${suite}`,
  });
}

export class PrivateApt {
  readonly #root: string;
  readonly #config: string;
  #updated: Promise<void> | undefined;

  readonly #suite: string;

  /** Another suite than the lab's own keeps its lists and packages apart. */
  constructor(cache: string, suiteName: string = suite) {
    this.#suite = suiteName;
    this.#root = join(cache, suiteName === suite ? 'apt' : `apt-${suiteName}`);
    this.#config = join(this.#root, 'apt.conf');
  }

  async #apt(architecture: Architecture, args: readonly string[]): Promise<string> {
    const options = [`-oAPT::Architecture=${architecture}`, '-qq'];
    return run('apt-get', [...options, ...args], { env: { APT_CONFIG: this.#config } });
  }

  /** A configuration of its own: nothing of the machine's package state is read or changed. */
  async #update(): Promise<void> {
    for (const directory of [
      'etc/sources.list.d',
      'etc/preferences.d',
      'state/lists/partial',
      'archives/partial',
      'none/partial',
    ])
      await mkdir(join(this.#root, directory), { recursive: true });
    if (!(await exists(keyring)))
      throw new AppError('lab/no-keyring', 'machine', "Debian's archive keys are not here", {
        expected: keyring,
        hint: 'apt-get install debian-archive-keyring',
      });
    const source = [
      'Types: deb',
      `URIs: ${await findMirror()}`,
      `Suites: ${this.#suite}`,
      'Components: main',
      'Architectures: amd64 arm64',
      `Signed-By: ${keyring}`,
      '',
    ].join('\n');
    await writeFile(join(this.#root, 'etc/sources.list.d/lab.sources'), source);
    await writeFile(join(this.#root, 'state/status'), '');
    // How this machine reaches the mirror (proxies, certificates) holds for the lab, too.
    const network = (await run('apt-config', ['dump']))
      .split('\n')
      .filter((line) => /^Acquire::(https?|Retries)(::| )/.test(line));
    const settings = [
      `Dir "${this.#root}/";`,
      `Dir::Etc "${this.#root}/etc/";`,
      'Dir::Etc::sourcelist "/dev/null";',
      'Dir::Etc::sourceparts "sources.list.d";',
      `Dir::State "${this.#root}/state/";`,
      `Dir::State::status "${this.#root}/state/status";`,
      `Dir::Cache "${this.#root}/";`,
      'Dir::Cache::archives "archives/";',
      'Dir::Cache::pkgcache "";',
      'Dir::Cache::srcpkgcache "";',
      'APT::Architectures { "amd64"; "arm64"; };',
      'APT::Install-Recommends "false";',
      // Root's downloads would be handed to a user who cannot read a cache under /root.
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Debug::NoLocking "true";',
      // The rolling suite's Release file is valid for a week, and a build machine's clock may be ahead.
      ...(this.#suite === 'sid' ? ['Acquire::Check-Valid-Until "false";'] : []),
      ...network,
      '',
    ].join('\n');
    await writeFile(this.#config, settings);
    try {
      await this.#apt('amd64', ['update', '-oAPT::Update::Error-Mode=any']);
    } catch (cause) {
      throw new AppError(
        'lab/mirror',
        'upstream',
        `the Debian mirror does not give ${this.#suite} for amd64 and arm64`,
        {
          hint: `set RUNNER_IMAGE_LAB_MIRROR to a mirror that carries ${this.#suite}, or mend the network and run lab up again`,
          cause,
        },
      );
    }
  }

  /**
   * solve lets apt choose one consistent set for `names` from nothing, downloads it with every
   * checksum verified, and describes it. The answer is kept under `key` until the names change.
   */
  async solve(key: string, architecture: Architecture, names: readonly string[]): Promise<Map<string, Deb>> {
    const wish = createHash('sha256')
      .update(JSON.stringify([this.#suite, architecture, names]))
      .digest('hex')
      .slice(0, 16);
    const record = join(this.#root, `${key}-${architecture}-${wish}.json`);
    const kept = await readFile(record, 'utf8').catch(() => undefined);
    if (kept !== undefined) {
      const debs = JSON.parse(kept) as Deb[];
      const archives = new Set(await readdir(join(this.#root, 'archives')).catch(() => []));
      if (debs.every((deb) => archives.has(deb.file.split('/').at(-1) ?? '')))
        return new Map(debs.map((deb) => [deb.name, deb]));
    }
    await (this.#updated ??= this.#update());
    // Printed against an empty archive: apt names only what it would still have to fetch.
    const printing = ['install', '--print-uris', '-y', `-oDir::Cache::archives=${this.#root}/none/`];
    const uris = await this.#apt(architecture, [...printing, ...names]).catch((cause: unknown) => {
      throw new AppError('lab/mirror-lacks', 'upstream', `the mirror lacks packages that the lab needs`, {
        expected: `${this.#suite} with ${names.join(' ')} for ${architecture}`,
        hint: 'wait for the mirror, or set RUNNER_IMAGE_LAB_MIRROR to another one',
        cause,
      });
    });
    await this.#apt(architecture, ['install', '--download-only', '-y', ...names]);
    const files = uris
      .split('\n')
      .filter((line) => line.startsWith("'"))
      .map((line) => line.split(' ')[1] ?? '');
    const debs: Deb[] = [];
    // A few at a time: dpkg-deb is short-lived and there may be two processors only.
    for (let at = 0; at < files.length; at += 8)
      debs.push(...(await Promise.all(files.slice(at, at + 8).map((file) => this.#describe(file)))));
    debs.sort((a, b) => (a.name < b.name ? -1 : 1));
    await host.files.write(record, JSON.stringify(debs));
    return new Map(debs.map((deb) => [deb.name, deb]));
  }

  async #describe(name: string): Promise<Deb> {
    const file = join(this.#root, 'archives', name);
    const control = (await run('dpkg-deb', ['--field', file])).trimEnd();
    const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(control)?.[1] ?? '';
    const names = (text: string): string[] => text.split('|').map((one) => /^[^\s:(]+/.exec(one.trim())?.[0] ?? '');
    const groups = (text: string): string[][] => (text === '' ? [] : text.split(',').map(names));
    return {
      name: field('Package'),
      version: field('Version'),
      architecture: field('Architecture'),
      file,
      sha256: createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
      control,
      depends: [...groups(field('Pre-Depends')), ...groups(field('Depends'))],
      provides: groups(field('Provides')).flat(),
    };
  }

  /** The indexes are large and only needed to solve. */
  async dropLists(): Promise<void> {
    await rm(join(this.#root, 'state'), { recursive: true, force: true });
    this.#updated = undefined;
  }
}

/** unpack gives one file or the whole tree of a package, without running anything of it. */
export async function unpack(deb: Deb, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await run('dpkg-deb', ['--extract', deb.file, into]);
}
