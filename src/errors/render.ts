import { AppError, AppErrors, type Where } from './app-error.ts';

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
  const lines = [`error: ${where === undefined ? '' : `${formatWhere(where)}: `}${error.message}`];
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (found !== undefined) lines.push(`  found:    ${found}`);
  for (const cause of causeChain(error)) lines.push(`  because:  ${cause}`);
  if (hint !== undefined) lines.push(`  do:       ${hint}`);
  lines.push(`  code:     ${error.code}`);
  return lines.join('\n');
}

/** oneLine returns what happened and its first cause in one line, for lists of several. */
export function oneLine(error: AppError): string {
  const { found } = error.facts;
  return [error.message, ...(found === undefined ? [] : [found]), ...causeChain(error).slice(-1)].join(': ');
}

/** renderError returns the text that a command prints on stderr before it exits. */
export function renderError(error: unknown): string {
  if (error instanceof AppErrors) return error.errors.map(renderOne).join('\n');
  if (error instanceof AppError) return renderOne(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: unexpected failure, please report it\n${stack}`;
}

/** errorToJson returns the same facts as renderError, for `--json`. */
export function errorToJson(error: unknown): unknown {
  if (error instanceof AppErrors) return { errors: error.errors.map(errorToJson) };
  if (!(error instanceof AppError)) return { code: 'internal', message: String(error) };
  const { cause: _cause, ...facts } = error.facts;
  return { code: error.code, message: error.message, ...facts, causes: causeChain(error) };
}
