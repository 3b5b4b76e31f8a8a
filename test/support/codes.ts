import { AppErrors, type AppError } from '../../src/errors/index.ts';

/** The codes of all errors that `work` throws; none when it throws nothing. */
export function codes(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    return error instanceof AppErrors ? error.errors.map(({ code }) => code) : [(error as AppError).code];
  }
}
