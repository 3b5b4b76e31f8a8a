import { checkRef } from '../src/contract/reference.ts';
import { exitCodes } from '../src/errors/index.ts';
import { examples, printResult, stringOption, type CommandModule } from './command.ts';

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
    const answer = checkRef(call.args[0] ?? '', { allowed });
    printResult(call, answer, [
      ...(answer.pullPolicy === undefined ? [] : [`pull policy: ${answer.pullPolicy}`]),
      ...answer.findings.flatMap(({ severity, rule, message, remediation }) => [
        `${severity}: ${message} [${rule}]`,
        `  do: ${remediation}`,
      ]),
    ]);
    return answer.findings.some(({ severity }) => severity === 'error') ? exitCodes.findings : exitCodes.clean;
  },
};
