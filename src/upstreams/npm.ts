import { join } from 'node:path';
import * as z from 'zod';
import { Limiter, type Candidate, type NpmPin, type Presence, type Resolved } from '../core/index.ts';
import { compareVersions } from '../core/version.ts';
import type { Host } from '../host/index.ts';
import type { Answers } from './answers.ts';
import { UpstreamError } from './errors.ts';
import { pageOfPackage } from './links.ts';
import { Incomplete, seen, unexpected, type Upstream } from './types.ts';

const text = z.string().optional().catch(undefined);
/** What `npm view` prints of the fields below; a field of another shape is as if it were not there. */
const viewSchema = z.object({
  /** npm prints a list of one as the one. */
  versions: z
    .union([z.array(z.string()), z.string().transform((one) => [one])])
    .optional()
    .catch(undefined),
  time: z.record(z.string(), z.string()).catch({}),
  'dist-tags': z.object({ latest: text }).catch({ latest: undefined }),
  'dist.integrity': text,
  'dist.tarball': text,
  'repository.url': text,
});
type View = z.infer<typeof viewSchema>;
const fields = Object.keys(viewSchema.shape);

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) });
const dependencies = z.record(z.string(), z.string()).optional();
const manifestSchema = z.object({ dependencies, optionalDependencies: dependencies });

/** renewed returns package.json with every dependency that carried the pin's version moved on. */
function renewed(content: string, pin: NpmPin, version: string, file: string): string {
  const manifest = JSON.parse(content) as z.infer<typeof manifestSchema>;
  manifestSchema.parse(manifest);
  let moved = 0;
  for (const list of [manifest.dependencies ?? {}, manifest.optionalDependencies ?? {}])
    for (const [name, wanted] of Object.entries(list)) {
      if (wanted !== pin.version && name !== pin.package) continue;
      list[name] = version;
      moved += 1;
    }
  if (moved === 0)
    throw new UpstreamError('bump/package-json', 'usage', `${pin.package} is no dependency`, { where: { file } });
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** NpmUpstream asks through npm itself: registry, proxy, CA and credentials are as this machine configures them. */
export class NpmUpstream implements Upstream<NpmPin> {
  readonly #host: Host;
  readonly #root: string;
  readonly #answers: Answers;
  readonly #gate: Limiter;

  /** `root` is the project, with the lock that each pin names. */
  constructor(host: Host, root: string, answers: Answers) {
    this.#host = host;
    this.#root = root;
    this.#answers = answers;
    this.#gate = new Limiter(4, host.clock);
  }

  async presence(pin: NpmPin): Promise<Presence> {
    const found = (await this.#view(`${pin.package}@${pin.version}`))?.['dist.integrity'];
    const what = `${pin.package}@${pin.version} on npm`;
    if (found === undefined) return { $case: 'gone', what };
    if (found === pin.integrity) return { $case: 'there' };
    return { $case: 'other', expected: pin.integrity, found, source: what };
  }

  async candidates(pin: NpmPin): Promise<readonly Candidate[]> {
    // One question about the pinned version answers both; one that is gone answers nothing about the others.
    const view = (await this.#view(`${pin.package}@${pin.version}`)) ?? (await this.#view(pin.package));
    const { versions = [], time = {}, 'dist-tags': tags } = view ?? {};
    if (versions.length === 0)
      throw unexpected(`npm knows no versions of ${pin.package}`, 'a list of versions', 'none');
    return versions.map((version) => ({
      version,
      target: version,
      // What lies beyond the dist-tag `latest` its publisher does not yet give to everyone.
      prerelease: tags?.latest !== undefined && (compareVersions(version, tags.latest) ?? 0) > 0,
      published: time[version],
      link: pageOfPackage(pin.package, version, view?.['repository.url'], view?.['dist.tarball']),
    }));
  }

  async identity(pin: NpmPin, { version }: Candidate): Promise<string | undefined> {
    return (await this.#view(`${pin.package}@${version}`))?.['dist.integrity'];
  }

  async facts(pin: NpmPin, candidate: Candidate, before?: Date): Promise<Resolved> {
    const { version } = candidate;
    const what = `${pin.package}@${version}`;
    const [integrity, files] = await Promise.all([this.identity(pin, candidate), this.#relock(pin, version, before)]);
    if (integrity?.startsWith('sha512-') !== true)
      throw new Incomplete(`${version} has no sha512 integrity`, integrity ?? 'none');
    const { packages } = lockSchema.parse(JSON.parse(files['package-lock.json']));
    const found = packages[`node_modules/${pin.package}`]?.integrity ?? 'none';
    if (found !== integrity)
      throw new UpstreamError('bump/npm', 'upstream', `npm's lock has another integrity for ${what}`, {
        expected: integrity,
        found,
      });
    return {
      facts: { kind: 'npm', version, integrity, files },
      evidence: [seen('lock-integrity', `npm registry, ${what}`)],
    };
  }

  #view(what: string): Promise<View | undefined> {
    return this.#answers.once(`npm view ${what}`, async () => {
      const printed = await this.#npm(['view', what, ...fields, '--json'], `look up ${what}`);
      if (printed === undefined || printed.trim() === '') return undefined;
      try {
        return viewSchema.parse(JSON.parse(printed));
      } catch (cause) {
        throw unexpected(`npm view ${what} printed no JSON object`, 'a JSON object', printed.slice(0, 80), cause);
      }
    });
  }

  /** npm returns stdout, undefined when npm says that the package or version does not exist. Throws `bump/npm`. */
  async #npm(args: readonly string[], doing: string, cwd?: string): Promise<string | undefined> {
    const options = { timeout: 180_000, maxBytes: 64 * 1024 * 1024, cwd };
    const { exitCode, stdout, stderr } = await this.#gate.run(() =>
      this.#host.exec('npm', [...args, '--loglevel=error', '--no-update-notifier'], options),
    );
    if (exitCode === 0) return stdout;
    if (/\b(?:E404|ETARGET)\b/.test(`${stdout} ${stderr}`)) return undefined;
    throw new UpstreamError('bump/npm', 'upstream', `npm could not ${doing}`, {
      // npm prints URLs of the registry; credentials in them are cut out.
      found: stderr
        .replace(/\/\/[^/\s@]+@/g, '//')
        .trim()
        .slice(0, 600),
      hint: 'try the same with npm by hand; npm config get registry says whom it asks',
    });
  }

  /** relock has npm write the lock in a directory of its own: with integrity, and without naming a registry. */
  async #relock(pin: NpmPin, version: string, before: Date | undefined) {
    const { files } = this.#host;
    const file = `${pin.lock}/package.json`;
    const manifest = renewed(await files.readText(join(this.#root, file)), pin, version, file);
    const directory = await files.temporaryDirectory('bump-npm');
    const unregister = this.#host.onExit(() => files.remove(directory));
    try {
      await files.write(join(directory, 'package.json'), manifest);
      const args = [
        ...['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'],
        ...['--omit-lockfile-registry-resolved', '--lockfile-version=3'],
        ...(before === undefined ? [] : [`--before=${before.toISOString()}`]),
      ];
      const done = await this.#npm(args, `lock ${pin.package}@${version}`, directory);
      if (done === undefined) throw new Incomplete(`not every package of ${pin.lock} has ${version}`);
      const lock = await files.readText(join(directory, 'package-lock.json'));
      return { 'package.json': manifest, 'package-lock.json': lock };
    } finally {
      unregister();
      await files.remove(directory);
    }
  }
}
