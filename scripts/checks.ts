import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { chalk } from 'zx';
import { shell } from '../src/host/exec.ts';

/**
 * What `npm run check` holds the project to, as many at once as there are processors, the slowest first. The
 * output of each comes in one piece when it ends; `--static` leaves the unit tests out.
 */
const root = resolve(import.meta.dirname, '..');
const $ = shell({ cwd: root, preferLocal: true });
const runner = ['node', 'bin/runner-image.mjs'];

/**
 * What did not change since the last run is not looked at again; a fresh clone looks at everything. The
 * name is one of our own, since prettier without --cache tidies up a folder node_modules/.cache/prettier.
 */
const cache = (tool: string) => join(root, 'node_modules/.cache', `check-${tool}`);
const cached = (tool: string) => ['--cache', '--cache-strategy', 'content', '--cache-location', cache(tool)];

/** In CI the unit tests also have to reach the coverage that vitest.config.ts asks for; it makes them slower. */
const unit = ['vitest', 'run', '--project', 'unit', ...(process.env['CI'] === undefined ? [] : ['--coverage'])];

const checks: readonly (readonly [name: string, ...command: string[]])[] = [
  ['lint', 'eslint', '.', ...cached('eslint')],
  ...(process.argv.includes('--static') ? [] : [['unit tests', ...unit] as const]),
  ['types', 'tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', cache('types.tsbuildinfo')],
  ['format', 'prettier', '--check', '--log-level', 'warn', '.', ...cached('prettier')],
  ['dead code', 'knip', '--no-progress', '--no-config-hints', '--cache', '--cache-location', cache('knip')],
  ['generated files', ...runner, 'generate', '--check'],
  ['pins', ...runner, 'pins', 'verify', '--quiet'],
  ['Dockerfiles', ...runner, 'lint', '--quiet'],
];

const queue = [...checks];
let failed = 0;
async function worker(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, ...command] = next;
    const result = await $`${command}`;
    if (!result.ok) failed += 1;
    // Both streams as they came: what a check says of a failure is on either.
    const output = result.ok ? '' : `${String(result).trimEnd()}\n`;
    const mark = result.ok ? chalk.green('✓') : chalk.red('✗');
    process.stdout.write(`${mark} ${name} (${(result.duration / 1000).toFixed(1)} s)\n${output}`);
  }
}
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
process.stdout.write(
  failed === 0 ? `${checks.length} checks passed\n` : `${failed} of ${checks.length} checks failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
