import { formatImageRef, parseImageRef } from '../src/core/image-ref.ts';
import { AppError, AppErrors, errorToJson, exitCodes, oneLine, throwAll, type ExitCode } from '../src/errors/index.ts';
import type { Resolution } from '../src/registry/index.ts';
import { examples, printResult, type CommandModule } from './command.ts';
import { mirrorsOption, readMirrors } from './environment-options.ts';
import { registryOf, registryOptions } from './registry.ts';

function parseAll(texts: readonly string[]) {
  const errors: AppError[] = [];
  const refs = texts.flatMap((text) => {
    try {
      return [parseImageRef(text)];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      errors.push(...(error instanceof AppErrors ? error.errors : [error]));
      return [];
    }
  });
  throwAll(errors);
  return refs;
}

function exitOf(answers: readonly Resolution[]): ExitCode {
  const any = ($case: Resolution['$case']): boolean => answers.some((answer) => answer.$case === $case);
  // Never green, and never "gone" either, where a registry could not be asked.
  if (any('unknown')) return exitCodes.upstream;
  return any('gone') ? exitCodes.findings : exitCodes.clean;
}

export const command: CommandModule = {
  define(parser) {
    parser.argument('<reference...>', 'host/repository:tag or @sha256:…');
    mirrorsOption(parser);
    registryOptions(parser);
    examples(parser, [
      ['runner-image digest ghcr.io/astral-sh/uv:0.12.7', 'what the tag names now, by one HEAD'],
      ['runner-image digest $(cat references.txt)', 'all at once, each asked for once; there, gone, or unknown'],
    ]);
  },
  async run(call) {
    const refs = parseAll(call.args);
    const found = await registryOf(call, readMirrors(call)).resolveAll(refs);
    const rows = refs.map((ref) => {
      const reference = formatImageRef(ref);
      return { reference, answer: found.get(reference) as Resolution };
    });
    printResult(
      call,
      rows.map(({ reference, answer }) =>
        answer.$case === 'there'
          ? { reference, answer: 'there', digest: answer.descriptor.digest }
          : { reference, answer: answer.$case, ...(errorToJson(answer.error) as object) },
      ),
      rows.map(({ reference, answer }) =>
        answer.$case === 'there' ? `${answer.descriptor.digest}  ${reference}` : `${answer.$case}  ${reference}`,
      ),
    );
    const errors = new Set(rows.flatMap(({ answer }) => (answer.$case === 'there' ? [] : [answer.error])));
    for (const error of errors) call.host.progress.warn(oneLine(error));
    for (const hint of new Set([...errors].flatMap(({ facts }) => facts.hint ?? [])))
      call.host.progress.say(`do: ${hint}`);
    return exitOf(rows.map(({ answer }) => answer));
  },
};
