import { AppError } from '../errors/index.ts';
import type { FragmentDefinition } from '../core/index.ts';
import { allInstructions } from './read/model.ts';
import { readDockerfile } from './read/read.ts';

/** Context paths that the text's COPY instructions take, in order (COPY --from takes none). */
function copiedPaths(text: string): readonly string[] {
  return [...allInstructions(readDockerfile(text))]
    .filter(({ instruction: { keyword, flags } }) => keyword === 'COPY' && !flags.some(({ name }) => name === 'from'))
    .flatMap(({ instruction: { words } }) => words.slice(0, -1).map((word) => word.text.value));
}

/** checkCopies holds what a fragment copies against the files that its front matter declares. */
export function checkCopies(fragment: FragmentDefinition, text: string, declared: readonly string[]): AppError[] {
  const copied = copiedPaths(text);
  const where = { file: fragment.file };
  const undeclared = copied
    .filter((path) => !declared.includes(path))
    .map(
      (path) =>
        new AppError('dockerfile/undeclared-file', 'usage', `COPY takes ${path}, which \`files\` does not name`, {
          where,
        }),
    );
  const idle = declared
    .filter((path) => !copied.includes(path))
    .map(
      (path) =>
        new AppError('dockerfile/idle-file', 'usage', `\`files\` names ${path}, which no COPY takes`, { where }),
    );
  return [...undeclared, ...idle];
}
