import { AppError, AppErrors, type Where } from './app-error.ts';
import { shorten, visible } from './escape.ts';

/** What an error says may come from outside: a registry's text, a tool's stderr. UTF-16 units of each part, and lines. */
const maxPart = 4_000;
const maxLines = 40;

/** block sets a text of several lines behind its label: no line of it stands where ours begin. */
function block(text: string): string {
  const lines = shorten(text, maxPart)
    .split('\n')
    .map((line, at) => visible(at === 0 ? line : line.trimStart()));
  const more = lines.length - maxLines;
  return [...lines.slice(0, maxLines), ...(more > 0 ? [`… (${more} lines more)`] : [])].join(`\n${' '.repeat(12)}`);
}

/** formatWhere returns `file:line:column`, leaving out what is not known. */
export function formatWhere(where: Where): string {
  const parts = [where.file, where.line, where.line === undefined ? undefined : where.column];
  return parts.filter((part) => part !== undefined).join(':');
}

function causeChain(error: unknown): string[] {
  const lines: string[] = [];
  let cause: unknown = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && lines.length < 5) {
    lines.push(cause instanceof Error ? cause.message : JSON.stringify(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}

function renderOne(error: AppError): string {
  const { expected, found, where, hint } = error.facts;
  const lines = [
    `error: ${visible(`${where === undefined ? '' : `${formatWhere(where)}: `}${error.message}`, maxPart)}`,
  ];
  if (expected !== undefined) lines.push(`  expected: ${block(expected)}`);
  if (found !== undefined) lines.push(`  found:    ${block(found)}`);
  for (const cause of causeChain(error)) lines.push(`  because:  ${block(cause)}`);
  if (hint !== undefined) lines.push(`  do:       ${block(hint)}`);
  lines.push(`  code:     ${visible(error.code, 100)}`);
  return lines.join('\n');
}

/** oneLine returns what happened and its first cause in one line, for lists of several. */
export function oneLine(error: AppError): string {
  const { found } = error.facts;
  const parts = [error.message, ...(found === undefined ? [] : [found]), ...causeChain(error).slice(-1)];
  return visible(parts.join(': '), maxPart);
}

/** renderError returns the text that a command prints on stderr before it exits. */
export function renderError(error: unknown): string {
  if (error instanceof AppErrors) return error.errors.map(renderOne).join('\n');
  if (error instanceof AppError) return renderOne(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: unexpected failure, please report it\n${' '.repeat(12)}${block(stack)}`;
}

/** errorToJson returns the same facts as renderError, for `--json`. */
export function errorToJson(error: unknown): unknown {
  if (error instanceof AppErrors) return { errors: error.errors.map(errorToJson) };
  if (!(error instanceof AppError)) return { code: 'internal', message: shorten(String(error), maxPart) };
  const { cause: _cause, where, ...facts } = error.facts;
  const said = { message: error.message, ...facts };
  const cut = Object.entries(said).map(([name, text = '']) => [name, shorten(text, maxPart)]);
  const place = where === undefined ? {} : { where: { ...where, file: shorten(where.file, maxPart) } };
  const causes = causeChain(error).map((cause) => shorten(cause, maxPart));
  return { code: error.code, ...Object.fromEntries(cut), ...place, causes };
}
