export { AppError, AppErrors, throwAll, type ErrorFacts, type ErrorsOf, type Where } from './app-error.ts';
export {
  commandData,
  commandProperty,
  markdownText,
  shorten,
  visible,
  visibleText,
  xmlText,
  type TextKind,
} from './escape.ts';
export { exitCodes, type ExitCode } from './exit-codes.ts';
export { errorToJson, formatWhere, oneLine, renderError } from './render.ts';
