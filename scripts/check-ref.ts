import { checkRef } from '../src/contract/reference.ts';
import { exitCodes } from '../src/errors/index.ts';
import { examples, stringOption, type CommandModule } from './command.ts';

export const command: CommandModule = {
  define(parser) {
    parser
      .argument('<reference>', 'the value of runner_image')
      .option('--allow <hosts>', 'registries that may be used, by hostname (default: RUNNER_IMAGE_ALLOWED_REGISTRIES)');
    examples(parser, [
      ['runner-image check-ref quay.io/ambient_code/acp_claude_runner:1.0.0', 'grammar, registry, pull policy'],
      ['runner-image check-ref --allow quay.io,ghcr.io quay.io/me/runner@sha256:…', 'held against an allowlist'],
    ]);
  },
  async run(call) {
    const allowed = stringOption(call, 'allow') ?? call.host.env['RUNNER_IMAGE_ALLOWED_REGISTRIES'];
    const answer = checkRef(call.args[0] ?? '', allowed === undefined ? {} : { allowed });
    if (call.json) call.console.json(answer);
    else {
      if (answer.pullPolicy !== undefined) call.console.print(`pull policy: ${answer.pullPolicy}`);
      for (const { severity, rule, message, remediation } of answer.findings)
        call.console.print([`${severity}: ${message} [${rule}]`, `  do: ${remediation}`]);
    }
    return answer.findings.some(({ severity }) => severity === 'error') ? exitCodes.findings : exitCodes.clean;
  },
};
