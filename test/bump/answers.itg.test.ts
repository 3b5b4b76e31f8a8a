import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishIndex } from '../support/upstream/images.ts';
import { remembering } from './remembering.ts';
import { ghRelease, stage, type Stage } from './stage.ts';

const references = ['ubi10', 'uv', 'supervisor', 'gh', 'python', 'codex'];

const current = Object.fromEntries(references.map((name) => [name, 'current']));
const files = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

describe('what upstreams sent before', () => {
  it('gives way to what changed, at once; new tags within the hour, since they wait for days anyway', async () => {
    const { it: here, run } = await remembering();
    await run(references);
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    here.host.advance(59 * 60_000);
    const soon = await run(references);
    expect(soon.answers).toMatchObject({ gh: 'due', uv: 'current' });
    expect(soon.told).toContainEqual(expect.stringMatching(/astral-sh\/uv: tags as they were 59 min ago/));
    here.host.advance(60_000);
    expect((await run(references)).answers).toMatchObject({ gh: 'due', uv: 'held' });
    publishIndex(here.registry, 'astral-sh/uv', '0.12.9');
    expect((await run(['uv'], { now: true })).answers).toEqual({ uv: 'due' });
  });

  it('never stands for the bytes themselves: other ones are an alarm at once', async () => {
    const { it: here, run } = await remembering();
    await run(references);
    publishIndex(here.registry, 'astral-sh/uv', '0.12.7', 'evil');
    here.github.releases.set('cli/cli', [ghRelease('2.74.0', {}, 'evil')]);
    expect((await run(references)).answers).toMatchObject({ uv: 'alarm', gh: 'alarm', supervisor: 'current' });
  });

  it('is nothing once its bytes on the disk are others, whoever changed them', async () => {
    const { it: here, run, folder } = await remembering();
    await run(references);
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    for (const file of files(folder)) {
      expect(statSync(file).mode & 0o077).toBe(0);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('2.74.0', '2.99.0').replaceAll('0.12.7', '0.12.9'));
    }
    const { answers } = await run(references);
    expect(answers).toMatchObject({ gh: 'due', uv: 'current' });
    for (const file of files(folder)) writeFileSync(file, '{"version":1');
    expect((await run(references)).answers).toMatchObject({ gh: 'due', uv: 'current' });
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
    await run(references);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file in its place');
    chmodSync(folder, 0o400);
    expect((await run(references)).answers).toEqual(current);
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
