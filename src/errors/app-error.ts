import { exitCodes, type ExitCode } from './exit-codes.ts';

/** A place in a file, 1-based, as editors and compilers print it. */
export interface Where {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export interface ErrorFacts {
  /** What was asked for, as the user would say it. */
  readonly expected?: string | undefined;
  /** What was there instead. Never a secret: callers redact before they build the error. */
  readonly found?: string | undefined;
  readonly where?: Where | undefined;
  /** What to do now: a command or an edit. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * AppError is the only error that a user is meant to see. `code` is stable and machine-readable
 * (`<room>/<what>`, for example `registry/digest-mismatch`); `exit` is the process's exit code.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly exit: ExitCode;
  readonly facts: ErrorFacts;

  constructor(code: string, exit: keyof typeof exitCodes, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = code;
    this.exit = exitCodes[exit];
    this.facts = facts;
  }
}

/** ErrorsOf is AppError with the codes of one room: another code does not compile. */
export type ErrorsOf<Code extends string> = new (
  code: Code,
  exit: keyof typeof exitCodes,
  message: string,
  facts?: ErrorFacts,
) => AppError;

/** Of several problems, what has to be mended before the others can be seen rightly. */
const gravest = ['usage', 'machine', 'upstream', 'findings'] as const;

/**
 * AppErrors carries every problem of one input at once, so that a user mends them in one go. Its exit code is that of
 * the gravest: 1 only where all of them are findings.
 */
export class AppErrors extends AppError {
  readonly errors: readonly AppError[];

  constructor(errors: readonly AppError[]) {
    const first = errors[0];
    if (first === undefined) throw new TypeError('AppErrors needs at least one error');
    const kind = gravest.find((one) => errors.some(({ exit }) => exit === exitCodes[one])) ?? 'usage';
    super(first.code, kind, `${errors.length} problems`);
    this.errors = errors;
  }
}

/** throwAll throws nothing for no errors, the error itself for one, and AppErrors for several. */
export function throwAll(errors: readonly AppError[]): void {
  const [first, ...rest] = errors;
  if (first === undefined) return;
  throw rest.length === 0 ? first : new AppErrors(errors);
}
