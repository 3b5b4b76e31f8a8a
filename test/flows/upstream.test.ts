import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkPins } from '../../src/flows/pins.ts';
import { upstreamFindings } from '../../src/flows/upstream.ts';
import { committed, root } from '../dockerfile/definitions.ts';
import { codesOf } from '../support/codes.ts';
import { fakeHost } from '../support/fake-host.ts';

let work: string;
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', join(work, 'clone'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: work, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();

const dockerfile = '# upstream\nFROM scratch\nCOPY . \\\n  /app\n';
const digestOf = (written: string): string => createHash('sha256').update(written).digest('hex').slice(0, 16);

/** A clone with one Dockerfile, and a project whose record is of its first commit. */
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'upstream-record-'));
  await mkdir(join(work, 'clone/runner'), { recursive: true });
  await mkdir(join(work, 'images'));
  await writeFile(join(work, 'clone/runner/Dockerfile'), dockerfile);
  git('init', '--quiet');
  commit();
  await writeFile(
    join(work, 'images/upstream.yaml'),
    `repository: https://example.com/upstream
commit: ${git('rev-parse', 'HEAD')}
path: runner
tree: ${git('rev-parse', 'HEAD:runner')}
evidence: [{ kind: git-object, source: a clone }]
dockerfiles:
  - file: Dockerfile
    object: ${git('rev-parse', 'HEAD:runner/Dockerfile')}
    image: standard
    lines: 4
    between: [1]
    instructions:
      - { lines: 2, keyword: FROM, digest: '${digestOf('FROM scratch')}', does: the base, note: none }
      - { lines: 3-4, keyword: COPY, digest: '${digestOf('COPY .   /app')}', does: the runner, note: none }
files:
  - { path: none, object: '${'0'.repeat(40)}', does: nothing, note: nothing }
`,
  );
});
afterEach(() => rm(work, { recursive: true }));

function commit(): void {
  git('add', '--all');
  git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '--message', 'x');
}

const refused = (clone: string): Promise<string[]> => messages(clone).catch(codesOf);

const messages = async (clone?: string): Promise<string[]> =>
  (await upstreamFindings(fakeHost(), work, committed, clone)).map(({ message }) =>
    message.replace(/(?:, (?:digest|object) \w+)? at \w+$/, ''),
  );

it('reads a clone at what is checked out, and reports a file that is gone', async () => {
  expect(await messages(join(work, 'clone'))).toEqual(['none: gone']);
});

it('a changed comment is no changed instruction, a changed option is one', async () => {
  await writeFile(join(work, 'clone/runner/Dockerfile'), dockerfile.replace('# upstream', '# more\n# words'));
  commit();
  expect(await messages(join(work, 'clone'))).toEqual(['Dockerfile: changed', 'none: gone']);
  await writeFile(join(work, 'clone/runner/Dockerfile'), dockerfile.replace('COPY .', 'COPY --chown=0 .'));
  await writeFile(join(work, 'clone/runner/new.json'), '{}');
  commit();
  expect(await messages(join(work, 'clone'))).toEqual([
    'Dockerfile lines 3-4 COPY: changed or gone',
    'Dockerfile lines 3-4 COPY: new or changed',
    'Dockerfile: changed',
    'new.json: new',
    'none: gone',
  ]);
});

it('what is not committed in the clone is not read', async () => {
  await writeFile(join(work, 'clone/runner/new.json'), '{}');
  expect(await messages(join(work, 'clone'))).toEqual(['none: gone']);
});

it('a folder that is no clone, or of another repository, is an error and never green', async () => {
  expect(await refused(work)).toEqual(['upstream/clone']);
  git('mv', 'runner', 'other');
  commit();
  expect(await refused(join(work, 'clone'))).toEqual(['upstream/clone']);
});

it('a project without the record has nothing to verify, and refuses a clone', async () => {
  await rm(join(work, 'images/upstream.yaml'));
  expect(await messages()).toEqual([]);
  expect(await refused(join(work, 'clone'))).toEqual(['upstream/no-record']);
});

it('pins verify takes the clone', async () => {
  await expect(checkPins(fakeHost(), { root, upstream: join(work, 'clone') })).rejects.toThrow('components/runners');
});
