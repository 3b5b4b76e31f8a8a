import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildahBuildArguments } from '../../src/engines/buildah-args.ts';
import { loginsFor, registryConfig, withLoginFile } from '../../src/engines/login-file.ts';
import { imageReferences, registriesOf } from '../../src/engines/references.ts';
import { createHost } from '../../src/host/index.ts';
import { createLogins } from '../../src/registry/index.ts';
import { fakeHost } from '../support/fake-host.ts';
import { loginFile, passwordFor } from '../support/registries/login.ts';
import { makeRequest } from './support.ts';

const dockerfile = `FROM --platform=linux/amd64 127.0.0.1:5000/ubi10/ubi:10@sha256:aa AS tools
# FROM commented.example.com/out
COPY --from=ghcr.io/astral-sh/uv:0.7@sha256:bb /uv /usr/local/bin/uv
COPY --from=tools /a /b
RUN --mount=type=bind,from=quay.io/some/thing,target=/x true
FROM tools
`;

describe('what a Dockerfile takes from registries', () => {
  test('is every reference with a host; stages are none', () => {
    expect(imageReferences(dockerfile)).toEqual([
      '127.0.0.1:5000/ubi10/ubi:10@sha256:aa',
      'ghcr.io/astral-sh/uv:0.7@sha256:bb',
      'quay.io/some/thing',
    ]);
    expect(registriesOf(dockerfile)).toEqual(['127.0.0.1:5000', 'ghcr.io', 'quay.io']);
  });

  test('is also what an argument brings by default, and nothing in a here-document', () => {
    const text = 'ARG HOST=ghcr.io\nARG BASE=$HOST/a/b:1\nFROM $BASE\nRUN <<EOF\nFROM quay.io/c/d:1\nEOF\n';
    expect(registriesOf(text)).toEqual(['ghcr.io']);
  });
});

describe('logins for engines', () => {
  const known = async (registry: string) =>
    registry === 'quay.io'
      ? { username: 'org+robot', secret: 'a:b' }
      : registry === 'ghcr.io'
        ? { username: '', secret: 'identity' }
        : undefined;

  test('hold what this Dockerfile needs, in a file for this user alone that is gone afterwards, also after an error', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'logins-'));
    const { files } = createHost({ quiet: true });
    const host = fakeHost({
      files: { ...files, temporaryDirectory: (prefix) => mkdtemp(join(folder, `${prefix}-`)) },
    });
    let text = '';
    let mode = 0;
    const work = async (file: string | undefined): Promise<never> => {
      text = await readFile(file ?? '', 'utf8');
      ({ mode } = await stat(file ?? ''));
      throw new Error('the build failed');
    };
    await expect(withLoginFile(host, dockerfile, known, work)).rejects.toThrow('the build failed');
    expect(JSON.parse(text)).toEqual({
      auths: {
        'ghcr.io': { identitytoken: 'identity' },
        'quay.io': { auth: Buffer.from('org+robot:a:b').toString('base64') },
      },
    });
    expect(mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test('without any, nothing is written and the machine’s own configuration stays in force', async () => {
    const host = fakeHost({});
    expect(
      await withLoginFile(
        host,
        dockerfile,
        async () => undefined,
        async (file) => file,
      ),
    ).toBeUndefined();
    expect(await withLoginFile(host, dockerfile, undefined, async (file) => file)).toBeUndefined();
  });

  test('Buildah is given the file, and Podman the header', async () => {
    expect(buildahBuildArguments(makeRequest(), undefined, '/tmp/x/auth.json').join(' ')).toContain(
      ' --authfile /tmp/x/auth.json ',
    );
    expect(buildahBuildArguments(makeRequest(), undefined)).not.toContain('--authfile');
    const header = registryConfig(await loginsFor(dockerfile, known));
    expect(header).toMatch(/^[\w=-]+$/);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      'ghcr.io': { identitytoken: 'identity' },
      'quay.io': { username: 'org+robot', password: 'a:b' },
    });
  });
});

describe('logins from the docker configuration', () => {
  test('are found by host and by namespace, and Docker Hub under its API’s name', async () => {
    const file = loginFile({
      auths: {
        'quay.io/team': passwordFor('team', 'one'),
        'https://index.docker.io/v1/': passwordFor('hub', 'two'),
        'ghcr.io': { identitytoken: 'three' },
      },
    });
    const { files } = createHost({ quiet: true });
    const find = createLogins(fakeHost({ env: file.env, files }), [{ registry: 'quay.io', repository: 'team/base' }]);
    expect(await find('quay.io')).toEqual({ username: 'team', secret: 'one' });
    expect(await find('registry-1.docker.io')).toEqual({ username: 'hub', secret: 'two' });
    expect(await find('ghcr.io')).toEqual({ username: '', secret: 'three' });
    expect(await find('notquay.io')).toBeUndefined();
    file.remove();
  });
});
