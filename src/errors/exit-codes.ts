/** Exit codes of every command (README, "Exit codes"). */
export const exitCodes = {
  clean: 0,
  /** The command worked and found something wrong with what it looked at. */
  findings: 1,
  /** Wrong arguments or wrong configuration: editing a file or the command line fixes it. */
  usage: 2,
  /** An upstream or the network failed, or gave other bytes than it should. */
  upstream: 3,
  /** This machine lacks something: an engine, emulation, disk, a tool. */
  machine: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
