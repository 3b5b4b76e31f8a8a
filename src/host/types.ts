import type { Readable, Writable } from 'node:stream';
import type { TextKind } from '../errors/index.ts';

/** Variables of the environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ExecOptions {
  readonly cwd?: string | undefined;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Environment | undefined;
  readonly input?: string | Readable | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Upper limit of stdout kept, in bytes; more ends the command with an error. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Called with each line of stderr as it comes. */
  readonly onStderrLine?: ((line: string) => void) | undefined;
  /** stdout goes here instead of into the result. */
  readonly stdout?: Writable | undefined;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A part of a file: sent from there, it costs no memory of its own. */
export interface FilePart {
  readonly path: string;
  /** Bytes from the beginning of the file. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

export interface FetchOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | string | Readable | FilePart | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the response's headers. Default 30 000. */
  readonly timeout?: number | undefined;
  /** Milliseconds until the last byte of the response. Default six hours (core/deadlines.ts). */
  readonly total?: number | undefined;
}

export interface FetchResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body; the caller reads it to its end or destroys it. */
  readonly body: Readable;
}

export interface FileStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
}

export interface Files {
  /** Throws `host/too-large` past `limit` bytes. */
  read(path: string, limit?: number): Promise<Buffer>;
  readText(path: string, limit?: number): Promise<string>;
  /** lstat; undefined when nothing is there. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names, sorted by code unit. */
  list(path: string): Promise<string[]>;
  /** Writes beside the target and renames: whole or not at all. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  openRead(path: string, range?: { readonly start: number; readonly end?: number | undefined }): Readable;
  /**
   * A new file beside `path`; `commit` renames it there, `discard` removes it. With `flush` its
   * bytes are on the disk before the stream closes, and so before the rename.
   */
  openTemporary(path: string, options?: { readonly flush?: boolean | undefined }): Promise<TemporaryFile>;
  rename(from: string, to: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** A fresh private directory; the caller removes it. */
  temporaryDirectory(prefix: string): Promise<string>;
  remove(path: string): Promise<void>;
}

export interface TemporaryFile {
  readonly path: string;
  readonly stream: Writable;
  commit(target?: string): Promise<void>;
  discard(): Promise<void>;
}

export interface Clock {
  now(): Date;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Progress is what goes to stderr: progress and warnings, never a result. */
export interface Progress {
  /** One line: a line break in it is shown as its code. */
  say(line: string): void;
  /** A text of several lines, whose parts its format has escaped. */
  show(text: string, kind?: TextKind): void;
  /** One line, or one with lines of details below it. */
  warn(text: string | readonly string[]): void;
  /** A long task that shows its steps; ends with `done` or `fail`. */
  task(title: string): ProgressTask;
}

export interface ProgressTask {
  step(text: string): void;
  done(text?: string): void;
  fail(text?: string): void;
}

/** Host is every effect in one bundle; rooms take the type, entries hand in the real one. */
export interface Host {
  exec(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  fetch(url: string, options?: FetchOptions): Promise<FetchResponse>;
  readonly files: Files;
  readonly clock: Clock;
  readonly env: Environment;
  readonly progress: Progress;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** certs.d has something for this registry, `host[:port]`: it is spoken to with TLS also on loopback. */
  hasCertificates?(registry: string): boolean;
  /** Registers work for the end of the process, run last-in first-out, also on Ctrl-C. Returns an unregister. */
  onExit(work: () => Promise<void> | void): () => void;
}
