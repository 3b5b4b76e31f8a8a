import { AppError } from '../errors/index.ts';
import { Git, type Host } from '../host/index.ts';

export interface SourceFacts {
  /** `<sha>`, `<sha>-dirty`, or empty where no repository says it. */
  readonly commit: string;
  /** Seconds since 1970 of the last commit that touched the images' inputs; undefined without one. */
  readonly committed?: number | undefined;
}

/** Folders whose files decide what an image is. */
const inputs = ['images', 'checksums'];

async function git(host: Host, root: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await new Git(host, { directory: root }).ask(args))?.trim();
  } catch {
    // No git, or no repository (a release archive): the facts stay absent.
    return undefined;
  }
}

/** headOf reads `# branch.oid <commit>` (git-status, porcelain format 2); a branch without a commit says `(initial)`. */
function headOf(lines: readonly string[]): string | undefined {
  return lines.flatMap((line) => /^# branch\.oid ([0-9a-f]{40})$/.exec(line)?.[1] ?? [])[0];
}

/** sourceFacts asks git; GIT_COMMIT in the environment answers for it, as CI systems do. Throws `plan/git-commit`. */
export async function sourceFacts(host: Host, root: string): Promise<SourceFacts> {
  const given = host.env['GIT_COMMIT'];
  if (given !== undefined && given !== '' && !/^[0-9a-f]{40}(?:-dirty)?$/.test(given))
    throw new AppError('plan/git-commit', 'usage', 'GIT_COMMIT in the environment is no commit', {
      expected: '40 hex digits, with or without -dirty',
      found: JSON.stringify(given.slice(0, 80)),
      hint: 'unset it, or set it to `git rev-parse HEAD`',
    });
  const [time, state] = await Promise.all([
    git(host, root, ['log', '-1', '--format=%ct', '--', ...inputs]),
    git(host, root, ['status', '--porcelain=v2', '--branch', '--', ...inputs]),
  ]);
  const lines = state?.split('\n') ?? [];
  const commit = given === undefined || given === '' ? headOf(lines) : given;
  const dirty = lines.some((line) => line !== '' && !line.startsWith('#')) && commit?.endsWith('-dirty') === false;
  return {
    commit: commit === undefined ? '' : `${commit}${dirty ? '-dirty' : ''}`,
    committed: time === undefined || time === '' ? undefined : Number(time),
  };
}

/** sourceDateEpoch returns seconds since 1970 (https://reproducible-builds.org/specs/source-date-epoch/). */
export function sourceDateEpoch(host: Host, facts: SourceFacts): number {
  const given = host.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '') {
    if (/^\d{1,11}$/.test(given)) return Number(given);
    throw new AppError('plan/source-date-epoch', 'usage', 'SOURCE_DATE_EPOCH is no number of seconds', {
      expected: 'decimal digits, seconds since 1970',
      found: JSON.stringify(given.slice(0, 80)),
    });
  }
  if (facts.committed !== undefined) return facts.committed;
  host.progress.warn(
    'no commit touches images/ yet, so files and image are dated 1970-01-01; SOURCE_DATE_EPOCH sets another date',
  );
  return 0;
}
