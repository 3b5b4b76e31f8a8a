import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refresh } from '../../src/flows/bump/index.ts';
import { generate } from '../../src/flows/generate.ts';
import { publishIndex } from '../support/upstream/images.ts';
import { edit, ghRelease, stage, type Stage } from './stage.ts';

const run = (here: Stage, given: object = {}) =>
  refresh(here.host, {
    root: here.root,
    since: 'HEAD',
    dryRun: false,
    downgrade: false,
    now: true,
    mirrors: here.mirrors,
    ...given,
  });
const uv = /(uv\n {4}version: )0\.12\.7/;
const digestOfUv = /(uv\n {4}version: \S+\n {4}digest: )\S+/;

describe('a proposal that changed only values', () => {
  it('of an image is completed with the digest, each platform’s, evidence and Dockerfiles', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    publishIndex(here.registry, 'astral-sh/uv', '0.12.9');
    edit(here, uv, '$10.12.8');
    const { rows, written } = await run(here);
    expect([rows.map(({ pin }) => pin.name), written]).toEqual([['uv'], true]);
    expect(here.text('images/pins.yaml')).toContain(
      `version: 0.12.8\n    digest: ${index.digest}\n    platforms:\n      linux/amd64: ${index.platforms['linux/amd64'] ?? ''}`,
    );
    expect(here.text('images/openshell/Dockerfile.openshell')).toContain(`uv:0.12.8@${index.digest}`);
    expect((await generate(here.host, { root: here.root, check: true })).changes).toEqual([]);
  });

  it('of several pins is one transaction, versions and digests together', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    const codex = here.npm.packages.get('@openai/codex');
    codex?.versions.set('0.118.0', { time: '2026-10-01T00:00:00Z' });
    if (codex !== undefined) codex.latest = '0.118.0';
    edit(here, uv, '$10.12.8');
    edit(here, digestOfUv, `$1${index.digest}`);
    edit(here, /version: 2\.74\.0/, 'version: 2.80.0');
    edit(here, /version: 0\.117\.0/, 'version: 0.118.0');
    const { files } = await run(here);
    expect(files).toEqual(
      expect.arrayContaining(['checksums/gh/2.80.0.sha256', 'images/openshell/npm/codex/package-lock.json']),
    );
    expect(here.text('images/openshell/npm/codex/package-lock.json')).toContain('0.118.0');
  });

  it('of a moving tag by its digest alone is completed, when the tag names just that', async () => {
    const here = await stage();
    const index = publishIndex(here.registry, 'ubi10/ubi', '10', 'ubi july');
    edit(here, /(ubi\n {4}version: '10'\n {4}digest: )\S+/, `$1${index.digest}`);
    expect((await run(here)).written).toBe(true);
    expect(here.text('images/pins.yaml')).toContain(`linux/arm64: ${index.platforms['linux/arm64'] ?? ''}`);
  });
});

describe('a proposal that does not hold leaves every file as it was', () => {
  const refused = async (here: Stage, given: object = {}) => {
    const before = here.status();
    const text = here.text('images/pins.yaml');
    const outcome: unknown = await run(here, given).catch((error: unknown) => error);
    expect([here.status(), here.text('images/pins.yaml')]).toEqual([before, text]);
    return outcome;
  };

  it('because its digest is made up', async () => {
    const here = await stage();
    publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    edit(here, uv, '$10.12.8');
    edit(here, digestOfUv, `$1sha256:${'1'.repeat(64)}`);
    expect(await refused(here)).toMatchObject({
      code: 'bump/refresh-mismatch',
      facts: { found: `sha256:${'1'.repeat(64)}` },
    });
  });

  it('because only the digest of a full version was changed, and the tag still names the old one', async () => {
    const here = await stage();
    edit(here, digestOfUv, `$1sha256:${'2'.repeat(64)}`);
    expect(await refused(here)).toMatchObject({
      code: 'bump/refresh-mismatch',
      message: expect.stringContaining('uv') as unknown,
    });
  });

  it('because the version does not exist, is outside of the range, too young, or older', async () => {
    const here = await stage();
    here.github.releases
      .get('cli/cli')
      ?.unshift(ghRelease('3.0.0'), ghRelease('2.80.0', { published: '2026-11-21T00:00:00Z' }), ghRelease('2.70.0'));
    const codes: string[] = [];
    for (const version of ['9.9.9', '3.0.0', '2.80.0', '2.70.0']) {
      edit(here, /version: 2\.74\.0/, `version: ${version}`);
      codes.push(((await refused(here, { now: false })) as { code: string }).code);
      edit(here, new RegExp(`version: ${version.replaceAll('.', '\\.')}`), 'version: 2.74.0');
    }
    expect(codes).toEqual(['bump/unknown-version', 'bump/refused', 'bump/refused', 'bump/refused']);
  });

  it('because one pin of several could not be told', async () => {
    const here = await stage();
    publishIndex(here.registry, 'astral-sh/uv', '0.12.8');
    here.github.misbehave = (_request, response) => {
      response.writeHead(401).end();
      return true;
    };
    edit(here, uv, '$10.12.8');
    edit(here, /version: 2\.74\.0/, 'version: 2.80.0');
    expect(await refused(here)).toMatchObject({
      written: false,
      rows: [{ verdict: { $case: 'due' } }, { verdict: { $case: 'unknown' } }],
    });
  });

  it('because more than values was edited, which rewriting would lose', async () => {
    const here = await stage();
    edit(here, uv, '$10.12.8');
    edit(here, /range: \^2, tag/, 'range: ^3, tag');
    expect(await refused(here)).toMatchObject({ code: 'bump/refresh', exit: 2 });
  });

  it('because a file that follows has changes of its own', async () => {
    const here = await stage();
    here.github.releases.get('cli/cli')?.unshift(ghRelease('2.80.0'));
    edit(here, /version: 2\.74\.0/, 'version: 2.80.0');
    writeFileSync(join(here.root, 'images/openshell/Dockerfile.openshell'), '# mine\n');
    expect(await refused(here)).toMatchObject({ code: 'bump/dirty' });
  });
});
