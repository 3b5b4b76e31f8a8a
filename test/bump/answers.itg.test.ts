import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bump } from '../../src/flows/bump/index.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { bothPythons, pythonList, pythonsPath } from '../support/upstream/pythons.ts';
import { closers, ghRelease, stage, type Stage } from './stage.ts';

const references = ['ubi10', 'uv', 'supervisor', 'gh', 'python', 'codex'];

/** A stage whose machine has a cache folder, and what one dry run over `references` asked. */
async function remembering() {
  const it = await stage();
  it.github.raw.set(pythonsPath, pythonList(...bothPythons(3, '20260203')));
  const cache = mkdtempSync(join(tmpdir(), 'bump-answers-'));
  closers.push(() => {
    rmSync(cache, { recursive: true, force: true });
  });
  const gets: number[] = [];
  const host = {
    ...it.host,
    env: { XDG_CACHE_HOME: cache },
    fetch: async (...given: Parameters<typeof it.host.fetch>) => {
      const response = await it.host.fetch(...given);
      if (given[1]?.method !== 'HEAD') gets.push(response.status);
      return response;
    },
  };
  const run = async (targets: readonly string[] = references) => {
    it.registry.log.length = it.github.log.length = it.npm.calls.length = gets.length = 0;
    const options = { root: it.root, targets, dryRun: true, downgrade: false, now: false, mirrors: it.mirrors };
    const { rows } = await bump(host, options);
    const answers = Object.fromEntries(rows.map(({ pin, verdict }) => [pin.name, verdict.$case]));
    return {
      answers,
      registry: [...it.registry.log],
      github: [...it.github.log],
      npm: it.npm.calls.length,
      gets: [...gets],
    };
  };
  const folder = join(cache, 'openshell-runner-images/answers');
  return { it, run, folder };
}

const current = Object.fromEntries(references.map((name) => [name, 'current']));
const files = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

describe('what upstreams sent before', () => {
  it('is asked for once more on condition: one request a reference, besides one list of tags a repository', async () => {
    const { it: here, run } = await remembering();
    const first = await run();
    expect(first.answers).toEqual(current);
    expect(first.github).toHaveLength(3);
    const second = await run();
    expect(second.answers).toEqual(current);
    // gh: the releases; python: uv's list. The publisher's checksum file is known by the digest that the API states.
    expect(second.github.map((line) => line.replace(/.*\//, ''))).toEqual(
      expect.arrayContaining(['releases', 'download-metadata.json']),
    );
    expect(second.github).toHaveLength(2);
    expect(second.npm).toBe(1);
    expect(second.registry.filter((line) => line.startsWith('HEAD'))).toHaveLength(3);
    expect(second.registry.filter((line) => line.includes('tags/list'))).toHaveLength(3);
    expect(second.registry).toHaveLength(6);
    // Whatever has a body came without it.
    expect([new Set(first.gets), new Set(second.gets)]).toEqual([new Set([200]), new Set([304])]);
    expect(here.status()).toBe('');
  });

  it('gives way to what changed, at once', async () => {
    const { it: here, run } = await remembering();
    await run();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    const { answers } = await run();
    expect(answers).toMatchObject({ gh: 'due', uv: 'held' });
    here.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]);
    expect((await run()).answers).toMatchObject({ gh: 'alarm' });
  });

  it('is nothing once its bytes on the disk are others, whoever changed them', async () => {
    const { it: here, run, folder } = await remembering();
    await run();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    for (const file of files(folder)) {
      expect(statSync(file).mode & 0o077).toBe(0);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('2.74.0', '2.99.0').replaceAll('0.12.7', '0.12.9'));
    }
    const { answers } = await run();
    expect(answers).toMatchObject({ gh: 'due', uv: 'current' });
    for (const file of files(folder)) writeFileSync(file, '{"version":1');
    expect((await run()).answers).toMatchObject({ gh: 'due', uv: 'current' });
  });

  it('stays bounded: the oldest go first', async () => {
    const { run, folder } = await remembering();
    await run(['gh']);
    for (let at = 0; at < 600; at += 1) writeFileSync(join(folder, `url-${at}.json`), '{}');
    await run(['python']);
    expect(readdirSync(folder).length).toBeLessThanOrEqual(513);
  });

  it('costs requests and nothing else where it cannot be kept', async () => {
    const { run, folder } = await remembering();
    await run();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file in its place');
    chmodSync(folder, 0o400);
    expect((await run()).answers).toEqual(current);
  });
});

describe('a checksum file whose digest the API states', () => {
  it('is an alarm when the bytes that come are others', async () => {
    const it: Stage = await stage();
    const release = ghRelease('2.80.0');
    const name = 'gh_2.80.0_checksums.txt';
    it.github.releases.get('cli/cli')?.unshift(release);
    it.github.misbehave = (request, response) => {
      if (request.url?.endsWith(`/${name}`) !== true) return false;
      response.writeHead(200).end(`${release.assets[name] ?? ''}# one byte more\n`);
      return true;
    };
    expect(await it.verdict('gh')).toMatchObject({ $case: 'alarm', source: name });
  });
});
