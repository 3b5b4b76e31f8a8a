import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatImageRef } from '../../src/core/index.ts';
import { projectRoot } from '../../src/lab/paths.ts';
import { stage, useKit } from './stage.ts';

const kit = useKit();

const run = (args: readonly string[], env: NodeJS.ProcessEnv) =>
  new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const program = join(projectRoot, 'scripts/runner-image.ts');
    execFile(process.execPath, [program, ...args], { env, timeout: 60_000 }, (error, _stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stderr });
    });
  });

test.each(['HTTPS_PROXY', 'http_proxy'])(
  'behind %s, a Sigstore and a registry on this machine are asked directly',
  async (name) => {
    const { ref } = await stage(kit());
    const proxied: string[] = [];
    const proxy = createServer((request, response) => {
      proxied.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(502).end();
    });
    proxy.on('connect', (request, socket) => {
      proxied.push(`CONNECT ${request.url ?? ''}`);
      socket.destroy();
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const directory = await mkdtemp(join(tmpdir(), 'proxy-'));
    try {
      const { trustedRoot } = await kit().write(directory);
      const services = ['--fulcio', kit().url, '--rekor', kit().url, '--tsa', kit().url, '--trusted-root', trustedRoot];
      const env = {
        PATH: process.env['PATH'],
        HOME: directory,
        no_proxy: 'example.org',
        [name]: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        ...kit().ciEnvironment(),
      };
      const args = ['sign', formatImageRef(ref), '--without-gate', 'a test', '--root', directory, ...services];
      expect(await run(args, env)).toEqual({ code: 0, stderr: expect.stringMatching(/index: attached/) as string });
      expect(proxied).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
      await rm(directory, { recursive: true });
    }
  },
);
