import type { CommandModule } from './command.ts';

/** Every command with the sentence that help shows; its module is loaded only when it runs. */
export const commands: Record<string, { summary: string; load: () => Promise<{ command: CommandModule }> }> = {
  lint: {
    summary: 'supply-chain rules over any Dockerfile',
    load: () => import('./lint.ts'),
  },
  lab: {
    summary: 'start or stop the embedded upstreams that demo and tests run against',
    load: () => import('./lab.ts'),
  },
};
