/** Directive is a `# name=value` at the top of the file. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly offset: number;
}

const names = /^(?:escape|syntax|check)$/i;
const shape = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$/;

/** directiveIn returns the directive in a line; undefined ends them for the rest of the file. */
export function directiveIn(line: string, comment = '#'): Omit<Directive, 'offset'> | undefined {
  if (!line.startsWith(comment)) return undefined;
  const [, name = '', value = ''] = shape.exec(line.slice(comment.length).trimStart()) ?? [];
  return names.test(name) ? { name: name.toLowerCase(), value } : undefined;
}

function syntaxIn(source: string, begin: number, comment: string): Directive | undefined {
  const seen = new Set<string>();
  for (let at = begin; at < source.length;) {
    const newline = source.indexOf('\n', at);
    const end = newline < 0 ? source.length : newline;
    const found = directiveIn(source.slice(at, end).replace(/\r$/, ''), comment);
    if (found === undefined || seen.has(found.name)) return undefined;
    if (found.name === 'syntax') return { ...found, value: found.value.replace(/ .*$/s, ''), offset: at };
    seen.add(found.name);
    at = end + 1;
  }
  return undefined;
}

/**
 * syntaxOf returns the frontend that BuildKit hands the file to: from `# syntax=`, behind a `#!` line as well, from
 * `// syntax=`, or from a file that is JSON (frontend/dockerfile/parser/directives.go, DetectSyntax).
 */
export function syntaxOf(source: string): Directive | undefined {
  let begin = source.startsWith('\uFEFF') ? 1 : 0;
  if (source.startsWith('#!', begin)) {
    const newline = source.indexOf('\n', begin);
    begin = newline < 0 ? source.length : newline + 1;
  }
  const commented = syntaxIn(source, begin, '#') ?? syntaxIn(source, begin, '//');
  if (commented !== undefined || !/^\s*\{/.test(source.slice(begin, begin + 256))) return commented;
  try {
    const { syntax } = JSON.parse(source.slice(begin)) as { syntax?: unknown };
    return typeof syntax === 'string' ? { name: 'syntax', value: syntax, offset: begin } : undefined;
  } catch {
    return undefined;
  }
}
