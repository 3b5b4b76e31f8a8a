/** middleCut returns at most about `limit` characters: engines put the step first and the reason last. */
export function middleCut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor(limit * 0.75);
  return `${text.slice(0, limit - tail)} … ${text.slice(-tail)}`;
}

/**
 * reasonOf returns what an engine's final message says besides the step: Buildah and Podman repeat the whole
 * instruction (`building at STEP "RUN …": while running runtime: exit status 1`), which can be thousands of characters.
 */
export function reasonOf(message: string, step: string | undefined): string {
  const text = message.replace(/^Error: (?=building at STEP )/, '');
  const before = `building at STEP "${step ?? ''}": `;
  return middleCut(step !== undefined && text.startsWith(before) ? text.slice(before.length) : text, 2000);
}

/** lastError returns Buildah's verdict, which is its last line (or lines, when the instruction has several). */
export function lastError(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const at = lines.findLastIndex((line) => /^[Ee]rror\b/.test(line));
  return middleCut(at === -1 ? (lines.at(-1) ?? '') : lines.slice(at).join('\n'), 100_000);
}
