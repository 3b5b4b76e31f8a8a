import { AppError } from '../errors/index.ts';
import type { FragmentDefinition } from '../core/index.ts';

/** Context paths that the text's COPY instructions take, in order (COPY --from takes none). */
export function copiedPaths(text: string): readonly string[] {
  const joined = text.replace(/\\\n/g, ' ');
  return joined.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (words[0] !== 'COPY' || words.some((word) => word.startsWith('--from='))) return [];
    return words.slice(1, -1).filter((word) => !word.startsWith('--'));
  });
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
