import { join } from 'node:path';
import { AppError, exitCodes, renderError } from '../src/errors/index.ts';
import { begin, here, print, root, runnerImage, step, stop } from './demo/step.ts';
import { proveAndPromote } from './demo/trust.ts';

/**
 * The demo is what a user would type, one command after the other, against the embedded upstreams: one line a step,
 * and every command with its output in dist/demo.log, or on the terminal with `--verbose`. The first failure ends it.
 * `--trust` runs the last part alone, on what an earlier demo published.
 */
const publish = (variant: string) => ['publish', variant, '--lab', '--tag', 'demo'];
const steps: readonly (readonly [name: string, about: string, words: readonly string[]])[] = [
  ['lab up', 'start the embedded upstreams: registry, GitHub, packages, engine', ['lab', 'up']],
  ['generate --check', 'are the generated files up to date?', ['generate', '--check']],
  ['pins verify', 'is every pin complete and used, and every input pinned?', ['pins', 'verify']],
  ['lint', 'do the Dockerfiles keep the supply-chain rules?', ['lint']],
  ['build openshell', 'amd64 and arm64 into one OCI image layout', ['build', 'openshell', '--lab']],
  ['build openshell', 'once more: nothing changed', ['build', 'openshell', '--lab']],
  ['build standard', 'the other image', ['build', 'standard', '--lab']],
  ['publish openshell', 'the contract holds, both platforms start; push by digest, tag last', publish('openshell')],
  ['publish standard', 'likewise', publish('standard')],
  ['publish openshell', 'once more: everything is there', [...publish('openshell'), '--skip-gate']],
];

const unknown = process.argv.slice(2).filter((word) => word !== '--trust' && word !== '--verbose');
if (unknown.length > 0) {
  process.stderr.write(`error: unknown option ${unknown.join(' ')}; there are --verbose and --trust\n`);
  stop(2);
}
const logFile = join(root, 'dist/demo.log');
const verbose = process.argv.includes('--verbose');
try {
  begin({ verbose, logFile });
  print('A runner image from pinned inputs to a signed index, for real, without leaving this machine.\n');
  print(verbose ? '\n' : `Every command and its output: ${here(logFile)}\n\n`);
  if (!process.argv.includes('--trust'))
    for (const [name, about, words] of steps) await step(name, about, runnerImage(words));
  const { released, verify } = await proveAndPromote('openshell');
  print(`\nThe demo went the whole way: ${released} is built, checked, signed and verified.`);
  print(`\nThe lab stays up for you to try more:
  node bin/runner-image.mjs ${verify.join(' ')}
  node bin/runner-image.mjs check oci:dist/openshell --lab --run
  make clean    # stops the lab and removes what was built\n`);
} catch (error) {
  process.stderr.write(`\n${renderError(error)}\n`);
  stop(error instanceof AppError ? error.exit : exitCodes.machine);
}
process.exit(0);
