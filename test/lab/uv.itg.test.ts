import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { beforeAll, expect, test } from 'vitest';
import { runScript } from './containers.ts';
import type { LabState } from '../../src/lab/state.ts';
import { useLab } from './use-lab.ts';

let lab: LabState;
let uv = '';

/** uv's image holds one file; a container cannot run it alone, so the script puts it into the base. */
async function uvFromRegistry(): Promise<Buffer> {
  const base = `http://${lab.registry}/v2/${lab.images.uv.repository}`;
  const accept = { accept: 'application/vnd.oci.image.manifest.v1+json' };
  const manifest = await fetch(`${base}/manifests/${lab.images.uv.platforms['linux/amd64'] ?? ''}`, {
    headers: accept,
  });
  const { layers } = (await manifest.json()) as { layers: { digest: string }[] };
  const blob = await fetch(`${base}/blobs/${layers[0]?.digest ?? ''}`);
  const tar = gunzipSync(Buffer.from(await blob.arrayBuffer()));
  for await (const part of Readable.from(tar).pipe(extract())) {
    if (part.header.name === 'uv') return buffer(part);
    part.resume();
  }
  throw new Error('no uv in its image');
}

const script = (body: string): string =>
  `echo ${uv} | base64 -d > /usr/local/bin/uv; chmod 755 /usr/local/bin/uv; ${body}`;

beforeAll(async () => {
  lab = await useLab();
  uv = (await uvFromRegistry()).toString('base64');
});

test('installs an interpreter that runs, and one of the other architecture without running it', async () => {
  const [here, there] = ['x86_64', 'aarch64'].map((machine) => `cpython-${lab.python}-linux-${machine}-gnu`);
  const { output, exitCode } = await runScript(
    lab,
    'linux/amd64',
    script(`export UV_PYTHON_INSTALL_DIR=/py; uv python install --no-bin ${here ?? ''} ${there ?? ''} 2>/dev/null
      /py/${here ?? ''}/bin/python3 -c 'import platform, ssl, sys; print(platform.python_version(), sys.prefix)'
      od -An -tx1 -j18 -N1 /py/${there ?? ''}/bin/python3`),
  );
  expect(output).toBe(`${lab.python} /py/${here ?? ''}\n b7\n`);
  expect(exitCode).toBe(0);
});

test('refuses an interpreter whose bytes are not the ones it knows', async () => {
  const { output } = await runScript(
    lab,
    'linux/amd64',
    script(`sed -i 's/gnu.tar":"[0-9a-f]\\{4\\}/gnu.tar":"0000/g' /usr/local/bin/uv
      uv python install ${lab.python} || echo "code $?"`),
  );
  expect(output).toContain('hash mismatch for cpython');
  expect(output).toContain('code 1');
});

test('installs the locked packages, and nothing when the lock does not fit or was not asked for', async () => {
  const { output, exitCode } = await runScript(
    lab,
    'linux/amd64',
    script(`dnf install -y git-core >/dev/null; export GIT_SSL_NO_VERIFY=1
      git init -q /src; cd /src; git fetch -q --depth 1 ${lab.github}/openshift-online/agent-control-plane ${lab.runner.commit}
      git read-tree FETCH_HEAD:components/runners/ambient-runner; git checkout-index --all --prefix=/out/; cd /out
      uv sync --no-dev 2>&1 || echo "code $?"
      export UV_PROJECT_ENVIRONMENT=/venv; uv venv --python /usr/bin/python3 /venv 2>/dev/null
      uv sync --locked --no-dev --no-install-project --no-build --extra all 2>/dev/null
      /venv/bin/python -c 'import fastapi, sys; print(fastapi.__version__, fastapi.__file__.startswith("/venv/"))'
      /venv/bin/uvicorn --version | cut -d' ' -f1-3
      sed -i 's/fastapi>=/not-in-the-lock>=/' pyproject.toml; uv sync --locked --no-dev 2>&1 || echo "code $?"`),
  );
  expect(exitCode).toBe(0);
  expect(output).toContain('say --locked\ncode 2');
  expect(output).toMatch(/^0\.\d+\.\d+ True$/m);
  expect(output).toContain('Running uvicorn 0.');
  expect(output).toContain('needs to be updated, but `--locked` was provided.\ncode 2');
});
