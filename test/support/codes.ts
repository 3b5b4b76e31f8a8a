import { AppErrors, type AppError } from '../../src/errors/index.ts';

/** codesOf gives the codes of all errors that were thrown as one. */
export const codesOf = (error: unknown): string[] =>
  error instanceof AppErrors ? error.errors.map(({ code }) => code) : [(error as AppError).code];

/** The codes of all errors that `work` throws; none when it throws nothing. */
export function codes(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    return codesOf(error);
  }
}
