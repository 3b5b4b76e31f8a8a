import { AppError, exitCodes, type ExitCode } from '../src/errors/index.ts';

export interface Ending {
  /** Prints an error on stderr, and returns its exit code. */
  readonly report: (error: unknown) => ExitCode;
  /** What the process waits for, as far as it is known. */
  readonly awaited: () => readonly string[];
  /** Undoes what a command has begun. */
  readonly close: () => Promise<void>;
}

/**
 * endWith runs a command and ends the process with its code, which is a failure until the command has come to its end
 * and its result is written. Node itself would end with 0 as soon as nothing is left to wait for: a promise that
 * never settles, as after a connection that broke unheard, would read as success.
 */
export function endWith(run: () => Promise<ExitCode>, { report, awaited, close }: Ending): void {
  process.exitCode = exitCodes.upstream;
  let unwritten: Error | undefined;
  let reader = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `runner-image pins | head` closes the pipe early: that is no failure of ours, and no verdict either.
    if (error.code === 'EPIPE') reader = false;
    else unwritten ??= error;
  });
  const leave = (code: ExitCode): void => {
    // Sockets that an engine or a registry keeps open must not hold a finished command back.
    process.stdout.write('', () => {
      // What went wrong with the write is emitted after this callback.
      setImmediate(() => process.exit(reader && unwritten !== undefined ? notWritten(code, unwritten) : code));
    });
  };
  const notWritten = (code: ExitCode, cause: Error): ExitCode => {
    const exit = report(
      new AppError('cli/stdout', 'machine', 'the result could not be written to stdout', {
        cause,
        hint: 'look for a full disk or a closed file, and run it again',
      }),
    );
    return code === exitCodes.clean ? exit : code;
  };
  const giveUp = (error: unknown): void => {
    const code = report(error);
    process.exitCode = code;
    void close().finally(() => {
      leave(code);
    });
  };
  process.once('beforeExit', () => {
    const waits = awaited();
    giveUp(
      new AppError(
        'cli/never-ended',
        'upstream',
        'the command came to no end: nothing is left that it could wait for',
        {
          expected: 'a result',
          found: waits.length === 0 ? 'none' : `none; it was waiting for ${waits.join(', ')}`,
          hint: 'run it again, and report this as a bug: what was read does not count as checked',
        },
      ),
    );
  });
  process.once('uncaughtException', giveUp);
  void run()
    .catch(report)
    .then((code) => {
      process.exitCode = code;
      leave(code);
    });
}
