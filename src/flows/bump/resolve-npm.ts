import { join } from 'node:path';
import { AppError } from '../../errors/index.ts';
import type { NpmPin } from '../../core/index.ts';
import { compareVersions, type Candidate } from '../../pins/bump/index.ts';
import { pageOfPackage } from './links.ts';
import { evidenceOf, Incomplete, type Resolver, type Sources } from './resolver.ts';

interface Json {
  readonly [key: string]: unknown;
}

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** npm runs npm as this machine configures it: registry, proxy, CA and credentials are npm's own business. */
async function npm(
  { host, commands }: Sources,
  args: readonly string[],
  doing: string,
  cwd?: string,
): Promise<{ readonly stdout: string } | undefined> {
  const result = await commands.run(() =>
    host.exec('npm', [...args, '--loglevel=error', '--no-update-notifier'], {
      timeout: 180_000,
      maxBytes: 64 * 1024 * 1024,
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
  if (result.exitCode === 0) return { stdout: result.stdout };
  const code = /\b(E404|ETARGET)\b/.exec(`${result.stdout} ${result.stderr}`)?.[1];
  if (code !== undefined) return undefined;
  throw new AppError('bump/npm', 'upstream', `npm could not ${doing}`, {
    // npm prints URLs of the registry; credentials in them are cut out.
    found: result.stderr
      .replace(/\/\/[^/\s@]+@/g, '//')
      .trim()
      .slice(0, 600),
    hint: 'try the same with npm by hand; npm config get registry says whom it asks',
  });
}

async function view(sources: Sources, what: string, fields: readonly string[]): Promise<unknown> {
  return sources.once(`npm view ${what} ${fields.join(' ')}`, async () => {
    const answer = await npm(sources, ['view', what, ...fields, '--json'], `look up ${what}`);
    if (answer === undefined || answer.stdout.trim() === '') return undefined;
    try {
      return JSON.parse(answer.stdout) as unknown;
    } catch (cause) {
      throw new AppError('bump/unexpected-answer', 'upstream', `npm view ${what} printed no JSON`, { cause });
    }
  });
}

const everything = ['versions', 'time', 'dist-tags', 'dist.integrity', 'dist.tarball', 'repository.url'];

/** One question about the pinned version answers both: its own integrity, and what else there is. */
const viewPinned = (sources: Sources, pin: NpmPin): Promise<unknown> =>
  view(sources, `${pin.package}@${pin.version}`, everything);

async function integrityOf(sources: Sources, pin: NpmPin, version: string): Promise<string | undefined> {
  const value = await view(sources, `${pin.package}@${version}`, ['dist.integrity']);
  return typeof value === 'string' ? value : undefined;
}

/** renewed gives package.json with every dependency that carried the pin's version moved on. */
function renewed(text: string, pin: NpmPin, version: string, file: string): string {
  const content: unknown = JSON.parse(text);
  let moved = 0;
  if (isRecord(content))
    for (const group of ['dependencies', 'optionalDependencies']) {
      const list = content[group];
      if (!isRecord(list)) continue;
      for (const [name, wanted] of Object.entries(list)) {
        if (wanted !== pin.version && name !== pin.package) continue;
        (list as Record<string, unknown>)[name] = version;
        moved += 1;
      }
    }
  if (moved === 0)
    throw new AppError('bump/package-json', 'usage', `${pin.package} is no dependency`, { where: { file } });
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** beforeOf applies the pin's cooldown to what the package depends on, too, unless the package itself is younger. */
function beforeOf({ host }: Sources, pin: NpmPin, { published }: Candidate): readonly string[] {
  const days = pin.policy.cooldownDays ?? 0;
  const until = new Date(host.clock.now().getTime() - days * 86_400_000);
  return days > 0 && published !== undefined && Date.parse(published) <= until.getTime()
    ? [`--before=${until.toISOString()}`]
    : [];
}

/** relock has npm write the lock in a directory of its own: with integrity, and without naming a registry. */
async function relock(sources: Sources, pin: NpmPin, candidate: Candidate) {
  const { host, root } = sources;
  const { version } = candidate;
  const directory = await host.files.temporaryDirectory('bump-npm');
  const unregister = host.onExit(() => host.files.remove(directory));
  try {
    const manifest = renewed(
      await host.files.readText(join(root, pin.lock, 'package.json')),
      pin,
      version,
      `${pin.lock}/package.json`,
    );
    await host.files.write(join(directory, 'package.json'), manifest);
    const args = [
      'install',
      '--package-lock-only',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--omit-lockfile-registry-resolved',
      '--lockfile-version=3',
      ...beforeOf(sources, pin, candidate),
    ];
    const done = await npm(sources, args, `lock ${pin.package}@${version}`, directory);
    if (done === undefined) throw new Incomplete(`not every package of ${pin.lock} has ${version}`);
    const lock = await host.files.readText(join(directory, 'package-lock.json'));
    return { manifest, lock };
  } finally {
    unregister();
    await host.files.remove(directory);
  }
}

function lockedIntegrity(lock: string, pin: NpmPin): string | undefined {
  const content: unknown = JSON.parse(lock);
  const packages = isRecord(content) ? content['packages'] : undefined;
  const own = isRecord(packages) ? packages[`node_modules/${pin.package}`] : undefined;
  const integrity = isRecord(own) ? own['integrity'] : undefined;
  return typeof integrity === 'string' ? integrity : undefined;
}

/** npmResolver asks through npm itself, as this machine configures it. */
export function npmResolver(sources: Sources): Resolver<NpmPin> {
  return {
    identity: (pin, { version }) => integrityOf(sources, pin, version),
    async presence(pin) {
      const value = await viewPinned(sources, pin);
      const found = isRecord(value) ? value['dist.integrity'] : undefined;
      const what = `${pin.package}@${pin.version}`;
      if (typeof found !== 'string') return { $case: 'gone', what: `${what} on npm` };
      if (found === pin.integrity) return { $case: 'there' };
      return { $case: 'other', expected: pin.integrity, found, source: `${what} on npm` };
    },
    async candidates(pin) {
      // A version that is gone answers nothing about the others.
      const value =
        (await viewPinned(sources, pin)) ?? (await view(sources, pin.package, ['versions', 'time', 'dist-tags']));
      const versions = isRecord(value) ? value['versions'] : undefined;
      const time = isRecord(value) && isRecord(value['time']) ? value['time'] : {};
      const tags = isRecord(value) && isRecord(value['dist-tags']) ? value['dist-tags'] : {};
      const list = (Array.isArray(versions) ? versions : [versions]).filter(
        (version): version is string => typeof version === 'string',
      );
      if (list.length === 0)
        throw new AppError('bump/unexpected-answer', 'upstream', `npm knows no versions of ${pin.package}`);
      const { latest } = tags;
      const [repository, tarball] = isRecord(value) ? [value['repository.url'], value['dist.tarball']] : [];
      return list.map((version) => {
        const published = time[version];
        const link = pageOfPackage(pin.package, version, repository, tarball);
        // What lies beyond the dist-tag `latest` its publisher does not yet give to everyone.
        const beyond = typeof latest === 'string' && (compareVersions(version, latest) ?? 0) > 0;
        return {
          version,
          target: version,
          ...(beyond ? { prerelease: true } : {}),
          ...(typeof published === 'string' ? { published } : {}),
          ...(link === undefined ? {} : { link }),
        };
      });
    },
    async facts(pin, candidate) {
      const { version } = candidate;
      const [integrity, { manifest, lock }] = await Promise.all([
        integrityOf(sources, pin, version),
        relock(sources, pin, candidate),
      ]);
      const locked = lockedIntegrity(lock, pin);
      if (integrity === undefined || !integrity.startsWith('sha512-'))
        throw new Incomplete(`${version} has no sha512 integrity`, integrity ?? 'none');
      if (locked !== integrity)
        throw new AppError('bump/npm', 'upstream', `npm's lock has another integrity for ${pin.package}@${version}`, {
          expected: integrity,
          found: locked ?? 'none',
        });
      return {
        facts: {
          kind: 'npm',
          version,
          integrity,
          files: { 'package.json': manifest, 'package-lock.json': lock },
        },
        evidence: [evidenceOf(sources.host, 'lock-integrity', `npm registry, ${pin.package}@${version}`)],
      };
    },
  };
}
