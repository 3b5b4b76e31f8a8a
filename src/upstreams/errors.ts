import { AppError, type ErrorsOf } from '../errors/index.ts';

export type UpstreamErrorCode =
  | 'bump/checksum-file'
  | 'bump/disagreement'
  | 'bump/git'
  | 'bump/incomplete'
  | 'bump/npm'
  | 'bump/package-json'
  | 'bump/python'
  | 'bump/unexpected-answer'
  | 'bump/upstream';

/** UpstreamError is thrown with one of the codes of this room. */
export const UpstreamError: ErrorsOf<UpstreamErrorCode> = AppError;
