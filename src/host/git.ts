import { AppError } from '../errors/index.ts';
import type { Host } from './types.ts';

/** Nothing asks, no hook of the repository runs, messages are English, and reading takes no lock of git's own. */
const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '/bin/false', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };

export interface GitOptions {
  /** Where git runs; absent: it needs no repository. */
  readonly directory?: string | undefined;
  /** Code of the error that `run` throws. */
  readonly code?: string | undefined;
  /** Added to git's environment: credentials go there, since every process sees arguments. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What to do after a failure, by what git said. */
  readonly hint?: ((said: string) => string) | undefined;
}

/** Credentials in URLs are cut out, and an endless message is cut off. */
const scrub = (text: string): string =>
  text
    .replace(/\/\/[^/\s@]+@/g, '//')
    .trim()
    .slice(-600);

/** Git runs git, without questions and hooks. */
export class Git {
  readonly #host: Host;
  readonly #options: GitOptions;

  constructor(host: Host, options: GitOptions = {}) {
    this.#host = host;
    this.#options = options;
  }

  /** in returns the same git in another directory. */
  in(directory: string): Git {
    return new Git(this.#host, { ...this.#options, directory });
  }

  /** run returns stdout; `doing` completes "git could not …". Throws the code of the options, `host/git` by default. */
  async run(args: readonly string[], doing = `do ${args[0] ?? 'nothing'}`): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#exec(args);
    if (exitCode === 0) return stdout;
    const said = scrub(stderr);
    const { code = 'host/git', hint } = this.#options;
    throw new AppError(code, 'upstream', `git could not ${doing}`, {
      found: said,
      hint: hint?.(said) ?? 'try the same with git by hand',
    });
  }

  /** ask returns stdout, or undefined when git's exit code says no. */
  async ask(args: readonly string[]): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#exec(args);
    return exitCode === 0 ? stdout : undefined;
  }

  #exec(args: readonly string[]) {
    const { directory, env } = this.#options;
    const where = directory === undefined ? [] : ['-C', directory];
    return this.#host.exec('git', [...where, '-c', 'core.hooksPath=/dev/null', ...args], {
      env: { ...quiet, ...env },
      timeout: 300_000,
      maxBytes: 64 * 1024 * 1024,
    });
  }
}
