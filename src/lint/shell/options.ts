/** Options of the shell that a script is run with. */
export interface ShellOptions {
  /** `-e`: a command that fails ends the script. */
  readonly errexit: boolean;
  readonly pipefail: boolean;
}

export const noOptions: ShellOptions = { errexit: false, pipefail: false };

/** shellOptions returns what `set`, or a shell in front of -c, switches on; `before` is what holds otherwise. */
export function shellOptions(words: readonly string[], before = noOptions): ShellOptions {
  let { errexit, pipefail } = before;
  for (const [i, word] of words.entries()) {
    const on = word.startsWith('-');
    if (!/^[-+][a-zA-Z]+$/.test(word)) continue;
    if (word.includes('e')) errexit = on;
    const name = word.endsWith('o') ? words[i + 1] : undefined;
    if (name === 'pipefail') pipefail = on;
    if (name === 'errexit') errexit = on;
  }
  return { errexit, pipefail };
}
