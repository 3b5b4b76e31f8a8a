import type { Command } from 'commander';
import type { ExitCode } from '../../src/errors/index.ts';
import type { Call } from '../command.ts';

/** CiStep is one subcommand of `ci`: what a workflow needs beside the commands that people use, too. */
export interface CiStep {
  readonly summary: string;
  readonly define?: (command: Command) => void;
  readonly run: (call: Call) => Promise<ExitCode>;
}
