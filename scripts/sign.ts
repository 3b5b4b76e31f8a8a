import { parseImageRef } from '../src/core/index.ts';
import { exitCodes } from '../src/errors/index.ts';
import { signTree } from '../src/flows/trust/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { examples, flag, type CommandModule } from './command.ts';
import { penOf, signingOptions, tellSigned, trustOptions } from './trust.ts';

export const command: CommandModule = {
  define(command) {
    command.argument('<reference>', 'host/repository@sha256:…, after the gate; tags are refused, they may move');
    signingOptions(command);
    trustOptions(command);
    examples(command, [
      [
        'runner-image sign quay.io/o/runner@sha256:… --online',
        'in a CI job with id-token: write: index and every image',
      ],
      ['runner-image sign REF --signing-key key.pem', 'without any service'],
      ['runner-image sign REF --online --legacy', 'also for cosign 2'],
    ]);
  },
  async run(call) {
    const ref = parseImageRef(call.args[0] ?? '');
    const signed = await signTree(await penOf(call, createRegistry(call.host)), ref, { legacy: flag(call, 'legacy') });
    if (call.json) call.console.json(signed);
    else call.console.print(tellSigned(signed));
    return exitCodes.clean;
  },
};
