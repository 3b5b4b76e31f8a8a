import type {
  Account,
  Counterpart,
  Finding,
  LineRange,
  UpstreamDockerfile,
  UpstreamFile,
  UpstreamRecord,
} from '../core/index.ts';
import { finding } from './finding.ts';

/** What one of our images is made of: everything that an account may name. */
export interface ImageParts {
  readonly image: string;
  /** Text of each fragment, by name. */
  readonly fragments: ReadonlyMap<string, string>;
  /** Files that enter a variant, relative to the project. */
  readonly files: ReadonlySet<string>;
  readonly pins: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  /** Names of what is left out, image and variants together. */
  readonly omitted: ReadonlySet<string>;
}

export interface UpstreamInput {
  /** Relative to the project. */
  readonly file: string;
  readonly record: UpstreamRecord;
  readonly images: readonly ImageParts[];
  /** Git's object id of each file that must be upstream's byte for byte, by path; absent: no such file. */
  readonly objects: ReadonlyMap<string, string>;
}

const show = ([first, last]: LineRange): string => (first === last ? `line ${first}` : `lines ${first}-${last}`);

/** missing says what a counterpart names that no image has; undefined when one has it. */
function missing(by: Counterpart, images: readonly ImageParts[]): string | undefined {
  if ('fragment' in by) {
    const texts = images.flatMap(({ fragments }) => fragments.get(by.fragment) ?? []);
    if (texts.length === 0) return `fragment ${by.fragment}`;
    const { instruction } = by;
    if (instruction === undefined) return undefined;
    const has = texts.some((text) => text.split('\n').some((line) => line.startsWith(`${instruction} `)));
    return has ? undefined : `${instruction} in fragment ${by.fragment}`;
  }
  if ('file' in by) return images.some(({ files }) => files.has(by.file)) ? undefined : `file ${by.file}`;
  if ('pin' in by) return images.some(({ pins }) => pins.has(by.pin)) ? undefined : `pin ${by.pin}`;
  return images.some(({ labels }) => labels.has(by.label)) ? undefined : `label ${by.label}`;
}

function accountFindings(
  { file, objects }: UpstreamInput,
  subject: string,
  account: Account & { readonly object?: string },
  images: readonly ImageParts[],
): Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, message: string, remediation: string): void =>
    void findings.push(finding(rule, 'error', subject, message, remediation, { file }));
  if (account.by.length + account.omitted.length === 0 && account.note === undefined)
    add('upstream-unaccounted', `${subject} has no counterpart and no reason`, 'say `by`, `omitted` or `note`');
  for (const by of account.by) {
    const absent = missing(by, images);
    if (absent !== undefined)
      add('upstream-reference', `${subject}: no image has ${absent}`, 'correct the name, or say why it is left out');
    else if ('file' in by && by.same === true && objects.get(by.file) !== account.object)
      add(
        'upstream-differs',
        `${subject}: ${by.file} must be upstream's byte for byte; expected git object ${account.object ?? 'of a file'}, found ${objects.get(by.file) ?? 'none'}`,
        'bring the file up to date, or drop `same` and say in `note` why it differs',
      );
  }
  for (const name of account.omitted)
    if (!images.some(({ omitted }) => omitted.has(name)))
      add(
        'upstream-reference',
        `${subject}: no image omits ${JSON.stringify(name)}`,
        'add it to `omitted` in image.yaml',
      );
  return findings;
}

/** LineRange that are in two places, or in none. */
function lineFindings({ file }: UpstreamInput, dockerfile: UpstreamDockerfile): Finding[] {
  const ranges = [...dockerfile.instructions.map(({ lines }) => lines), ...dockerfile.between];
  ranges.sort(([a], [b]) => a - b);
  const wrong: string[] = [];
  let next = 1;
  for (const range of [...ranges, [dockerfile.lines + 1, dockerfile.lines + 1] as const]) {
    if (range[0] > next) wrong.push(`${show([next, range[0] - 1])} unaccounted`);
    if (range[0] < next)
      wrong.push(`${show([range[0], Math.min(range[1], next - 1)])} accounted twice, or past the end`);
    next = Math.max(next, range[1] + 1);
  }
  return wrong.map((what) =>
    finding(
      'upstream-lines',
      'error',
      `${dockerfile.file} ${what}`,
      `${dockerfile.file}: ${what}`,
      'account for every line, comments under `between`',
      { file },
    ),
  );
}

/**
 * verifyUpstream holds the record of upstream's images against ours: every line of its Dockerfiles and every file of
 * its folder has a counterpart or a reason, and what is named is there.
 */
export function verifyUpstream(input: UpstreamInput): readonly Finding[] {
  const { record, images, file } = input;
  const dockerfiles = record.dockerfiles.flatMap((dockerfile): Finding[] => {
    const own = images.filter(({ image }) => image === dockerfile.image);
    if (own.length === 0)
      return [
        finding(
          'upstream-reference',
          'error',
          dockerfile.file,
          `no image is called ${dockerfile.image}`,
          'correct `image`',
          {
            file,
          },
        ),
      ];
    return [
      ...lineFindings(input, dockerfile),
      ...dockerfile.instructions.flatMap(({ lines, keyword, ...account }) =>
        accountFindings(input, `${dockerfile.file} ${show(lines)} ${keyword}`, account, own),
      ),
    ];
  });
  return [...dockerfiles, ...record.files.flatMap((one) => accountFindings(input, one.path, one, images))];
}

/** Upstream's folder as a clone has it. */
export interface UpstreamClone {
  readonly commit: string;
  readonly tree: string;
  readonly files: readonly Pick<UpstreamFile, 'path' | 'object'>[];
  /** Instructions of each Dockerfile, by path. */
  readonly instructions: ReadonlyMap<string, readonly { keyword: string; digest: string; lines: LineRange }[]>;
}

/** compareUpstream reports what moved between the record and a clone: new, changed and gone, one finding each. */
export function compareUpstream(file: string, record: UpstreamRecord, clone: UpstreamClone): readonly Finding[] {
  const at = `at ${clone.commit}`;
  const moved = (subject: string, what: string): Finding =>
    finding('upstream-moved', 'error', subject, `${subject}: ${what} ${at}`, 'read it, and account for it', { file });
  const theirs = new Map(clone.files.map(({ path, object }) => [path, object]));
  const known = new Map(record.files.map(({ path, object }) => [path, object]));
  const dockerfiles = record.dockerfiles.flatMap((dockerfile): Finding[] => {
    known.set(dockerfile.file, dockerfile.object);
    const left = [...dockerfile.instructions];
    const fresh = (clone.instructions.get(dockerfile.file) ?? []).filter(({ keyword, digest }) => {
      const index = left.findIndex((one) => one.keyword === keyword && one.digest === digest);
      if (index >= 0) left.splice(index, 1);
      return index < 0;
    });
    return [
      ...left.map(({ lines, keyword }) => moved(`${dockerfile.file} ${show(lines)} ${keyword}`, 'changed or gone')),
      ...fresh.map(({ lines, keyword, digest }) =>
        moved(`${dockerfile.file} ${show(lines)} ${keyword}`, `new or changed, digest ${digest}`),
      ),
    ];
  });
  const files = [...new Set([...known.keys(), ...theirs.keys()])].sort().flatMap((path): Finding[] => {
    const [before, after] = [known.get(path), theirs.get(path)];
    if (before === after) return [];
    return [moved(path, after === undefined ? 'gone' : `${before === undefined ? 'new' : 'changed'}, object ${after}`)];
  });
  return [...dockerfiles, ...files];
}
