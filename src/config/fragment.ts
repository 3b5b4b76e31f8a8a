import * as z from 'zod';
import type { AppError } from '../errors/index.ts';
import { throwAll } from '../errors/index.ts';
import type { FragmentDefinition, FragmentSection } from '../core/index.ts';
import { readYaml } from './document.ts';
import { ConfigError } from './errors.ts';
import { absolutePath, labelText, name, relativePath } from './text.ts';

export const fragmentSchema = z.strictObject({
  description: labelText.min(1),
  pins: z.array(name).optional(),
  provides: z.array(absolutePath).optional(),
  files: z
    .array(
      z.strictObject({
        path: relativePath,
        mode: z.string().regex(/^0[0-7]{3}$/, 'must be four octal digits in quotes, such as "0644"'),
      }),
    )
    .optional(),
});

const markers = { '#: stage': 'stage', '#: final': 'final' } as const;

function sections(
  lines: readonly string[],
  start: number,
  file: string,
): Partial<Record<'stage' | 'final', FragmentSection>> {
  const found: Partial<Record<'stage' | 'final', FragmentSection>> = {};
  const errors: AppError[] = [];
  const fail = (index: number, message: string): void => {
    errors.push(new ConfigError('config/fragment', 'usage', message, { where: { file, line: index + 1, column: 1 } }));
  };
  let current: { kind: 'stage' | 'final'; line: number; text: string[] } | undefined;
  const close = (): void => {
    if (current === undefined) return;
    if (found[current.kind] !== undefined) fail(current.line - 2, `a second "#: ${current.kind}" section`);
    found[current.kind] = { text: current.text.join('\n').trimEnd() + '\n', line: current.line };
  };
  for (let index = start; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line in markers) {
      close();
      current = { kind: markers[line as keyof typeof markers], line: index + 2, text: [] };
    } else if (line.startsWith('#:'))
      fail(index, `unknown marker ${JSON.stringify(line)}: "#: stage" and "#: final" are known`);
    else if (current !== undefined) current.text.push(line);
    else if (line.trim() !== '') fail(index, 'text before the first "#: stage" or "#: final"');
  }
  close();
  if (current === undefined && errors.length === 0) fail(start, 'neither a "#: stage" nor a "#: final" section');
  throwAll(errors);
  return found;
}

/** readFragment reads images/fragments/<name>.dockerfile. Throws `config/fragment` and what readYaml throws. */
export function readFragment(text: string, file: string, fragmentName: string): FragmentDefinition {
  const lines = text.split('\n');
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end < 0)
    throw new ConfigError('config/fragment', 'usage', 'no front matter', {
      expected: 'YAML between two lines of ---, then Dockerfile text',
      where: { file, line: 1, column: 1 },
    });
  if (text.includes('\r'))
    throw new ConfigError('config/fragment', 'usage', 'carriage returns in a fragment', {
      where: { file },
      hint: 'save the file with LF line endings',
    });
  const { value } = readYaml(fragmentSchema, lines.slice(1, end).join('\n'), file, 1);
  return {
    name: fragmentName,
    file,
    description: value.description,
    pins: value.pins ?? [],
    provides: value.provides ?? [],
    files: (value.files ?? []).map(({ path, mode }) => ({ path, mode: Number.parseInt(mode, 8) })),
    ...sections(lines, end + 1, file),
  };
}
