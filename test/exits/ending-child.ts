import { endWith } from '../../scripts/ending.ts';
import { exitCodes, renderError } from '../../src/errors/index.ts';

/** A command for ending.test.ts: how it ends is its argument. */
const runs = {
  never: () => new Promise<never>(() => undefined),
  clean: async () => {
    process.stdout.write('the result\n');
    return exitCodes.clean;
  },
  findings: async () => {
    process.stdout.write('the findings\n');
    return exitCodes.findings;
  },
  uncaught: () => {
    setTimeout(() => {
      throw new Error('out of turn');
    }, 1);
    return new Promise<never>(() => undefined);
  },
} as const;

endWith(runs[process.argv[2] as keyof typeof runs], {
  report(error) {
    process.stderr.write(`${renderError(error)}\n`);
    return process.argv[2] === 'uncaught' ? exitCodes.machine : exitCodes.upstream;
  },
  awaited: () => ['GET http://127.0.0.1/v2/ (it has ended)'],
  close: async () => void process.stderr.write('cleaned up\n'),
});
