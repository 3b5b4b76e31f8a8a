import { AppError, type ErrorsOf } from '../../errors/index.ts';

export type BumpErrorCode =
  | 'bump/changed-meanwhile'
  | 'bump/dirty'
  | 'bump/gone'
  | 'bump/half-done'
  | 'bump/history'
  | 'bump/inconsistent'
  | 'bump/journal'
  | 'bump/no-file'
  | 'bump/no-repository'
  | 'bump/other-bytes'
  | 'bump/pins-format'
  | 'bump/refresh'
  | 'bump/refresh-mismatch'
  | 'bump/refused'
  | 'bump/revision'
  | 'bump/to'
  | 'bump/twice'
  | 'bump/unknown-pin'
  | 'bump/unknown-version'
  | 'bump/version';

/** BumpError is thrown with one of the codes of this room. */
export const BumpError: ErrorsOf<BumpErrorCode> = AppError;
