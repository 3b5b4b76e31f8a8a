import { execFile } from 'node:child_process';
import { access, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type Dockerode from 'dockerode';
import { transform } from 'esbuild';
import { pack } from 'tar-stream';

const run = promisify(execFile);

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

async function libraries(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

/**
 * importImage makes an image from this machine's own Node, a shell and a few tools, with the test's
 * runner in it. `faults` become a variable of the image; nothing is fetched.
 */
export async function importImage(
  docker: Dockerode,
  tag: string,
  faults: readonly string[],
  changes: readonly string[] = [],
): Promise<string> {
  const programs = [process.execPath, '/bin/sh', '/bin/cat', '/bin/sleep', '/usr/bin/env', '/bin/bash'];
  const files = new Map<string, string>();
  for (const program of programs) {
    files.set(program === process.execPath ? '/usr/bin/node' : program, await realpath(program));
    for (const library of await libraries(await realpath(program))) files.set(library, await realpath(library));
  }
  const source = await readFile(join(dirname(new URL(import.meta.url).pathname), 'runner.ts'), 'utf8');
  const { code } = await transform(source + main, { loader: 'ts', format: 'esm', target: 'node24' });
  await access('/etc/passwd');
  const archive = pack();
  const add = (name: string, content: string | Buffer, mode: number): void =>
    void archive.entry({ name: name.slice(1), mode, mtime: new Date(0) }, content);
  for (const directory of ['tmp', 'app', 'app/vertex', 'workspace', 'proc', 'etc', 'sandbox'])
    archive.entry({ name: directory, type: 'directory', mode: directory === 'tmp' ? 0o1777 : 0o775 });
  add('/etc/passwd', 'root:x:0:0::/:/bin/sh\nsandbox:x:1000:1000::/sandbox:/bin/bash\n', 0o644);
  add('/etc/group', 'root:x:0:\nsandbox:x:1000:\n', 0o644);
  add('/app/main.py', code, 0o644);
  add(
    '/runner/entrypoint.sh',
    '#!/bin/sh\nexec /usr/bin/node --input-type=module --import /app/uvicorn.mjs -e 0\n',
    0o755,
  );
  add('/app/uvicorn.mjs', code, 0o644);
  for (const [path, from] of [...files].sort()) add(path, await readFile(from), 0o755);
  archive.finalize();
  const stream = await docker.importImage(archive as unknown as string, {
    repo: tag,
    tag: 'test',
    changes: [
      `ENV FAULTS=${faults.join(',')}`,
      'USER 1001',
      'ENTRYPOINT ["/usr/bin/node","/app/uvicorn.mjs"]',
      ...changes,
    ],
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return `${tag}:test`;
}
