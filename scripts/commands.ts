import type { CommandModule } from './command.ts';

/** Every command with the sentence that help shows; its module is loaded only when it runs. */
export const commands: Record<string, { summary: string; load: () => Promise<{ command: CommandModule }> }> = {
  doctor: {
    summary: 'what this machine lacks to build, and the command that mends it',
    load: () => import('./doctor.ts'),
  },
  lint: {
    summary: 'supply-chain rules over any Dockerfile',
    load: () => import('./lint.ts'),
  },
  lab: {
    summary: 'start or stop the embedded upstreams that demo and tests run against',
    load: () => import('./lab.ts'),
  },
  generate: { summary: 'write the Dockerfiles and other generated files', load: () => import('./generate.ts') },
  plan: { summary: 'show what a variant is made of, and its input digest', load: () => import('./plan.ts') },
  pins: { summary: 'list the pins, or prove that each is complete and consumed', load: () => import('./pins.ts') },
};
