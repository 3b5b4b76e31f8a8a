import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../src/lab/index.ts';
import { run } from '../../../src/lab/run.ts';
import { quote, shell } from '../docker.ts';
import type { Stage } from '../stage.ts';
import type { Command, Contender, Trial } from '../types.ts';
import { delayed, served, type Served } from '../upstream.ts';
import { fastest } from '../verdicts.ts';

const digests = 'runner-image digest';
const dryRun = 'runner-image bump --dry-run';
const dryRunNow = `${dryRun} --now`;
const tag = '1.0.0';

/** Our command, with nothing of the lab: the registry is the bench's own, on loopback. */
function ours(stage: Stage, root: string, args: readonly string[], env: Command['env'] = {}): Command {
  const program = join(projectRoot, 'bin', 'runner-image.mjs');
  return { argv: [process.execPath, program, ...args, '--root', root, '--quiet'], cwd: stage.directory, env };
}

async function list(stage: Stage, name: string, lines: readonly string[]): Promise<string> {
  const file = await stage.path('references', name);
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

/** crane asks for one reference in one process: as it is used, one after the other and eight at once. */
function crane(stage: Stage, file: string, what: readonly string[]): Contender[] {
  const one = what
    .map((verb) => `${quote(stage.peers.crane.path)} ${verb} "$1${verb === 'ls' ? '' : `:${tag}`}" > /dev/null`)
    .join(' && ');
  const each = (parallel: string): Command => shell(`xargs ${parallel} -n 1 sh -c ${quote(one)} sh < ${quote(file)}`);
  const name = what.map((verb) => `crane ${verb}`).join(' and ');
  return [
    { name: `${name}, one by one`, needs: ['crane'], command: () => each(''), most: 3 },
    { name: `${name}, xargs -P8`, needs: ['crane'], command: () => each('-P 8') },
  ];
}

async function trial(stage: Stage, count: number, delay: number): Promise<Trial> {
  const { host } = await stage.registry();
  const at = delay === 0 ? host : await delayed(stage, delay);
  const repositories = (await served(stage, count, [tag])).map(({ repository }) => `${at}/${repository}`);
  const references = repositories.map((repository) => `${repository}:${tag}`);
  const file = await list(stage, `resolve-${count}-${delay}`, repositories);
  const where = delay === 0 ? 'on loopback' : `${delay} ms away`;
  return {
    title: `${count} references to their digests, ${where}`,
    reference: digests,
    rounds: stage.quick ? 2 : 11,
    contenders: [
      {
        name: digests,
        command: () => ours(stage, projectRoot, ['digest', ...references]),
        note: 'one HEAD for each reference, Node’s start included',
      },
      ...crane(stage, file, ['digest']),
    ],
    judge: (rows) => fastest(rows, digests),
  };
}

/** References to digests, as a bump or a check of drift asks for them. */
export async function resolve(stage: Stage): Promise<Trial[]> {
  return [await trial(stage, 20, 0), await trial(stage, 200, 0), await trial(stage, 200, 40)];
}

function pinText({ repository, digest, platforms }: Served, host: string): string {
  const name = repository.replace('bench/', 'bench-');
  return [
    `  ${name}:`,
    '    kind: image',
    `    repository: ${host}/${repository}`,
    `    version: ${tag}`,
    `    digest: ${digest}`,
    '    platforms:',
    ...Object.entries(platforms).map(([platform, child]) => `      ${platform}: ${child}`),
    '    policy: { range: ^1, cooldownDays: 7 }',
    '    evidence:',
    `      - { kind: registry-digest, source: '${host}/${repository}:${tag}', seen: 2026-01-01 }`,
    '',
  ].join('\n');
}

/** The project with `count` more image pins, all of them what the registry serves. */
async function pinned(stage: Stage, count: number, at: string): Promise<{ root: string; names: readonly string[] }> {
  const root = await stage.project(`bump-${count}-${at.split(':')[1] ?? ''}`);
  const all = await served(stage, count, ['0.9.0', tag]);
  const file = join(root, 'images/pins.yaml');
  await writeFile(file, `${await readFile(file, 'utf8')}\n${all.map((one) => pinText(one, at)).join('\n')}`);
  await run('git', [
    '-C',
    root,
    '-c',
    'user.name=bench',
    '-c',
    'user.email=bench@example.com',
    'commit',
    '-qam',
    'pins',
  ]);
  return { root, names: all.map(({ repository }) => repository.replace('bench/', 'bench-')) };
}

/** A look for something newer when there is nothing: what runs every day and every week. */
export async function bumpCurrent(stage: Stage): Promise<Trial[]> {
  const count = 20;
  const trials: Trial[] = [];
  for (const delay of [0, 40]) {
    const { host } = await stage.registry();
    const at = delay === 0 ? host : await delayed(stage, delay);
    const { root, names } = await pinned(stage, count, at);
    const file = await list(
      stage,
      `bump-${delay}`,
      names.map((name) => `${at}/${name.replace('bench-', 'bench/')}`),
    );
    const cache = await stage.path('answers', String(delay), 'x');
    trials.push({
      title: `${count} image pins, everything current, ${delay === 0 ? 'on loopback' : `${delay} ms away`}`,
      reference: dryRun,
      rounds: stage.quick ? 2 : 11,
      contenders: [
        {
          name: dryRun,
          command: () => ours(stage, root, ['bump', ...names, '--dry-run'], { XDG_CACHE_HOME: join(cache, '..') }),
          note: 'one HEAD for each pin; the lists of tags are those of the rounds before, read within the hour',
        },
        {
          name: dryRunNow,
          command: () =>
            ours(stage, root, ['bump', ...names, '--dry-run', '--now'], { XDG_CACHE_HOME: join(cache, '..') }),
          note: 'each pin’s digest and its repository’s tags, both asked for',
        },
        ...crane(stage, file, ['digest', 'ls']),
      ],
      judge: (rows) => [...fastest(rows, dryRun, [dryRunNow]), ...fastest(rows, dryRunNow, [dryRun])],
      note: 'crane only fetches digest and tags; nothing is compared.',
    });
  }
  return trials;
}
