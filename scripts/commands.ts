import type { CommandModule } from './command.ts';

/** Every command in the pipeline's order; a module is loaded only when its command runs. */
export const commands: Record<string, { summary: string; load: () => Promise<{ command: CommandModule }> }> = {
  generate: { summary: 'write the Dockerfiles and other generated files', load: () => import('./generate.ts') },
  plan: { summary: 'show what a variant is made of, and its input digest', load: () => import('./plan.ts') },
  pins: { summary: 'list the pins, or prove that each is complete and consumed', load: () => import('./pins.ts') },
  bump: {
    summary: 'move pins, checksums, locks and Dockerfiles on as one transaction',
    load: () => import('./bump.ts'),
  },
  lint: { summary: 'supply-chain rules over any Dockerfile', load: () => import('./lint.ts') },
  digest: { summary: 'what references name now: there, gone, or unknown', load: () => import('./digest.ts') },
  'check-ref': { summary: 'validate a runner_image reference', load: () => import('./check-ref.ts') },
  build: { summary: 'engine → one OCI layout with every platform, or "unchanged"', load: () => import('./build.ts') },
  join: { summary: 'one layout out of those that were built on several machines', load: () => import('./join.ts') },
  check: { summary: 'hold an image against the contract, every platform', load: () => import('./check.ts') },
  publish: { summary: 'gate, push by digest, tags last', load: () => import('./publish.ts') },
  sbom: { summary: 'list the packages of every platform, as CycloneDX', load: () => import('./sbom.ts') },
  sign: { summary: 'sign the index and every image of a digest', load: () => import('./sign.ts') },
  attest: { summary: 'attach provenance and SBOMs to a signed digest', load: () => import('./attest.ts') },
  verify: { summary: 'prove an image on every node, or say what it lacks', load: () => import('./verify.ts') },
  promote: { summary: 'verify, copy with all proofs, verify again, move the tag', load: () => import('./promote.ts') },
  ci: { summary: 'what only the workflows need: plans, outputs, summaries, issues', load: () => import('./ci.ts') },
  lab: { summary: 'start or stop the embedded upstreams of demo and tests', load: () => import('./lab.ts') },
  completion: { summary: 'completion for bash, zsh or fish', load: () => import('./completion.ts') },
  doctor: { summary: 'what this machine lacks, and the command that mends it', load: () => import('./doctor.ts') },
};
