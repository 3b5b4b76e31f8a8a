import { AppError, exitCodes, throwAll } from '../../errors/index.ts';

/** Several AppErrors together exit with 2; findings are no wrong use, so all reasons travel in one error. */
export function throwFindings(code: string, errors: readonly AppError[], hint: string): void {
  const [first, ...rest] = errors;
  if (first === undefined) return;
  if (rest.length === 0 || errors.some(({ exit }) => exit !== exitCodes.findings)) {
    throwAll(errors);
    return;
  }
  const joined = (read: (error: AppError) => string | undefined): string =>
    errors.map((error) => read(error) ?? '').join('; ');
  throw new AppError(code, 'findings', errors.map(({ message }) => message).join('\n'), {
    expected: joined(({ facts }) => facts.expected),
    found: joined(({ facts }) => facts.found),
    hint,
  });
}
