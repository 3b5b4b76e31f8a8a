import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/**
 * The demo is what a user would type, one command after the other, against the embedded upstreams. Each
 * line is printed before it runs, so that it can be copied; the first failure ends it.
 */
const root = resolve(import.meta.dirname, '..');
const bold = process.stdout.isTTY ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text;

const steps: readonly (readonly [about: string, ...args: string[]])[] = [
  ['Start the embedded upstreams: registry, GitHub stand-in, package server, engine', 'lab', 'up'],
  ['Are the generated files up to date?', 'generate', '--check'],
  ['Is every pin complete and consumed, and every input pinned?', 'pins', 'verify'],
  ['Do the Dockerfiles keep the supply-chain rules?', 'lint'],
  ['Build the openshell image for amd64 and arm64 into one OCI layout', 'build', 'openshell', '--lab'],
  ['The same again: nothing changed', 'build', 'openshell', '--lab'],
  ['Build the standard image', 'build', 'standard', '--lab'],
  [
    'Gate (contract, every platform started), push by digest, tag last',
    'publish',
    'openshell',
    '--lab',
    '--tag',
    'demo',
  ],
  ['The standard image likewise', 'publish', 'standard', '--lab', '--tag', 'demo'],
  ['Publishing again finds everything there', 'publish', 'openshell', '--lab', '--tag', 'demo', '--skip-gate'],
];

function run(about: string, args: readonly string[]): void {
  process.stdout.write(`\n${bold(`# ${about}`)}\n$ runner-image ${args.join(' ')}\n`);
  const started = Date.now();
  const { status } = spawnSync(process.execPath, [join(root, 'bin/runner-image.mjs'), ...args], {
    stdio: 'inherit',
    cwd: root,
  });
  if (status !== 0) {
    process.stdout.write(`\nThe demo stopped: runner-image ${args.join(' ')} exited with ${status ?? 'a signal'}.\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`(${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}

for (const [about, ...args] of steps) run(about, args);
process.stdout.write(
  '\nThe demo went the whole way. The lab stays up for you to try more:\n' +
    '  node bin/runner-image.mjs check oci:dist/openshell --lab --run\n' +
    '  make clean    # stops the lab and removes what was built\n',
);
