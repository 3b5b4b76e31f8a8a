import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { transform } from 'esbuild';
import { pack } from 'tar-stream';
import { reference } from '../lab/containers.ts';
import type { LabState } from '../../src/lab/state.ts';

/** What the container's runner does around the HTTP of runner.ts, and which faults the image has. */
const main = `
import { spawn } from 'node:child_process';
const faults = (process.env.FAULTS ?? '').split(',');
const type = process.env.RUNNER_TYPE ?? 'claude-agent-sdk';
if (!['claude-agent-sdk', 'gemini-cli', 'langgraph'].includes(type)) {
  console.error('ValueError: Unknown RUNNER_TYPE=' + type);
  process.exit(1);
}
if (faults.includes('prints-environment')) console.log(JSON.stringify(process.env));
const port = faults.includes('fixed-port') ? 8001 : Number(process.env.AGUI_PORT ?? 8001);
const session = process.env.SESSION_ID;
await listen(makeRunner(faults, session), port, '0.0.0.0');
console.log('listening on ' + port + ' for ' + session);
// An orphan, which process 1 inherits: Node does not reap it.
if (faults.includes('orphan')) spawn('/bin/sh', ['-c', 'sleep 0.01 & exit 0'], { stdio: 'ignore' });
if (!faults.includes('deaf')) process.on('SIGTERM', () => process.exit(0));
else process.on('SIGTERM', () => undefined);
`;

/** Where the steps are the same, the engine has them: Node is installed once, and each fault adds a variable. */
const dockerfile = (base: string, faults: readonly string[]): string => `FROM ${base}
RUN dnf install -y --nodocs --setopt=install_weak_deps=0 nodejs
RUN mkdir -p /app/vertex /workspace /sandbox && chmod 0775 /app /app/vertex /workspace /sandbox
RUN echo 'sandbox:x:1000:1000::/sandbox:/bin/bash' >>/etc/passwd && echo 'sandbox:x:1000:' >>/etc/group
COPY --chmod=0644 uvicorn.mjs main.py /app/
COPY --chmod=0755 entrypoint.sh /runner/
ENV FAULTS=${faults.join(',')}
USER 1001
ENTRYPOINT ["/usr/bin/node","/app/uvicorn.mjs"]
`;

/**
 * buildImage makes an image with the test's runner in it, on the lab's base: nothing of it comes from this machine,
 * whose Node may need more than its libraries (Debian 13's reads files of its own when it starts).
 */
export async function buildImage(
  lab: LabState,
  docker: Dockerode,
  tag: string,
  faults: readonly string[],
): Promise<string> {
  const source = await readFile(join(import.meta.dirname, 'runner.ts'), 'utf8');
  const { code } = await transform(source + main, { loader: 'ts', format: 'esm', target: 'node24' });
  const context = pack();
  context.entry({ name: 'Dockerfile' }, dockerfile(reference(lab, 'base', 'linux/amd64'), faults));
  for (const name of ['uvicorn.mjs', 'main.py']) context.entry({ name }, code);
  const entrypoint = '#!/bin/sh\nexec /usr/bin/node --input-type=module --import /app/uvicorn.mjs -e 0\n';
  context.entry({ name: 'entrypoint.sh' }, entrypoint);
  context.finalize();
  const image = `${tag}:test`;
  const options = { t: image, platform: 'linux/amd64', networkmode: lab.network, version: '2' } as const;
  const progress = await docker.buildImage(Readable.from(context), options);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  return image;
}
