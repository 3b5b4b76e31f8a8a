/** Small readers for foreign JSON. zod is left out: its start-up time alone would break the budget of a push. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** text returns a string that has something in it. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** isAbsent: the file is not there (also behind an error that wraps the system's). */
export function isAbsent(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('code' in at && (at.code === 'ENOENT' || at.code === 'ENOTDIR')) return true;
  return false;
}
