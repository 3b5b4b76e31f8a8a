import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * What `npm run check` holds the project to, as many at once as there are processors, the slowest first. The
 * output of each comes in one piece when it ends; `--static` leaves the unit tests out.
 */
const root = resolve(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const runner = [process.execPath, join(root, 'bin/runner-image.mjs')];

/**
 * What did not change since the last run is not looked at again; a fresh clone looks at everything. The
 * name is one of our own, since prettier without --cache tidies up a folder node_modules/.cache/prettier.
 */
const cache = (tool: string) => join(root, 'node_modules/.cache', `check-${tool}`);
const cached = (tool: string) => ['--cache', '--cache-strategy', 'content', '--cache-location', cache(tool)];

const checks: readonly (readonly [name: string, ...command: string[]])[] = [
  ['lint', bin('eslint'), '.', ...cached('eslint')],
  ...(process.argv.includes('--static') ? [] : [['unit tests', bin('vitest'), 'run', '--project', 'unit'] as const]),
  ['types', bin('tsc'), '-p', '.', '--incremental', '--tsBuildInfoFile', cache('types.tsbuildinfo')],
  ['format', bin('prettier'), '--check', '--log-level', 'warn', '.', ...cached('prettier')],
  ['dead code', bin('knip'), '--no-progress', '--no-config-hints', '--cache', '--cache-location', cache('knip')],
  ['generated files', ...runner, 'generate', '--check'],
  ['pins', ...runner, 'pins', 'verify', '--quiet'],
  ['Dockerfiles', ...runner, 'lint', '--quiet'],
];

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

function run([command = '', ...args]: readonly string[]): Promise<Outcome> {
  const started = Date.now();
  return new Promise((settle) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = (code: number, more = '') => {
      settle({ code, output: Buffer.concat(chunks).toString() + more, seconds: (Date.now() - started) / 1000 });
    };
    child.on('error', (error) => {
      end(127, error.message);
    });
    child.on('close', (code) => {
      end(code ?? 1);
    });
  });
}

const queue = [...checks];
let failed = 0;
async function worker(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, ...command] = next;
    const { code, output, seconds } = await run(command);
    if (code !== 0) failed += 1;
    process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s)\n${code === 0 ? '' : output}`);
  }
}
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
process.stdout.write(
  failed === 0 ? `${checks.length} checks passed\n` : `${failed} of ${checks.length} checks failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
