/**
 * What only this program and the workflow around it have a use for: a command gets one of them only from a caller
 * that names it. GITHUB_TOKEN is not among them: credential helpers of git and of registries log in by it.
 */
export const secretVariables: readonly string[] = [
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  // Reads and writes artifacts and caches of the run.
  'ACTIONS_RUNTIME_TOKEN',
  'BUMP_TOKEN',
  'COSIGN_PASSWORD',
  'QUAY_TOKEN',
  'RUNNER_IMAGE_KEY_PASSPHRASE',
  'SIGSTORE_ID_TOKEN',
];

/** Passwords of registries and keys, whatever their variables are called here. */
const isPassword = /(?:^|_)PASS(?:WORD|PHRASE|WD)$/i;

/** By these, bash would run, trace or skip something before it starts the command (bash(1), "Shell Variables"). */
const readByBash = /^(?:BASH|SHELLOPTS$)/;

/** childEnv returns this process's environment without secrets, with `extra` added; undefined removes a variable. */
export function childEnv(extra: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const isSecret = (name: string): boolean => secretVariables.includes(name) || isPassword.test(name);
  const plain = Object.entries(process.env).filter(([name]) => !isSecret(name));
  return Object.fromEntries(
    Object.entries({ ...Object.fromEntries(plain), ...extra }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !readByBash.test(entry[0]),
    ),
  );
}
