import { AppError, type ErrorsOf } from '../errors/index.ts';

export type ConfigErrorCode =
  | 'config/fragment'
  | 'config/policy-conflict'
  | 'config/too-large'
  | 'config/unknown-key'
  | 'config/value'
  | 'config/yaml';

/** ConfigError is thrown with one of the codes of this room. */
export const ConfigError: ErrorsOf<ConfigErrorCode> = AppError;
