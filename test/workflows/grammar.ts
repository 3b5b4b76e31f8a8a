import { build } from 'esbuild';
import { root } from '../dockerfile/definitions.ts';
import type { Source } from './files.ts';

interface Parsed {
  readonly context: { readonly errors: { getErrors(): readonly { readonly message: string }[] } };
}
type Parse = (file: { name: string; content: string }, trace: unknown) => Parsed;
interface Parser {
  readonly parseWorkflow: Parse;
  readonly parseAction: Parse;
  readonly NoOperationTraceWriter: new () => unknown;
}

/** GitHub's parser imports JSON without the attribute that Node asks for: bundled, it needs none. */
async function load(): Promise<Parser> {
  const contents = [
    "export { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';",
    "export { parseAction } from '@actions/workflow-parser/actions/index';",
  ].join('\n');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('file:///');" },
  });
  const text = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${text}`)) as Parser;
}

const parser = await load();
const errorsOf = (parse: Parse, { file, text }: Source): readonly string[] =>
  parse({ name: file, content: text }, new parser.NoOperationTraceWriter())
    .context.errors.getErrors()
    .map(({ message }) => message);

/** What GitHub's own grammar of workflows finds wrong. */
export const workflowErrors = (source: Source): readonly string[] => errorsOf(parser.parseWorkflow, source);
export const actionErrors = (source: Source): readonly string[] => errorsOf(parser.parseAction, source);
