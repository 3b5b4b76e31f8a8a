import { runnerImage, stop, tell } from './demo/run.ts';
import { proveAndPromote } from './demo/trust.ts';

/**
 * The demo is what a user would type, one command after the other, against the embedded upstreams. Each
 * line is printed before it runs, so that it can be copied; the first failure ends it.
 */
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

/** `--trust` runs the last part alone, on what an earlier demo published. */
const trustOnly = process.argv.includes('--trust');

process.once('SIGINT', () => stop(130));
process.once('SIGTERM', () => stop(143));
if (!trustOnly) for (const [about, ...args] of steps) await runnerImage(about, args);
await proveAndPromote('openshell');
tell(
  '\nThe demo went the whole way. The lab stays up for you to try more:\n' +
    '  node bin/runner-image.mjs check oci:dist/openshell --lab --run\n' +
    '  make clean    # stops the lab and removes what was built\n',
);
process.exit(0);
