/** option returns the arguments of one option of a command: none for undefined, one pair for each value. */
export function option(
  name: string,
  value: string | readonly string[] | Readonly<Record<string, string>> | undefined,
): string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [name, value];
  const values = isList(value) ? value : Object.entries(value).map(([key, text]) => `${key}=${text}`);
  return values.flatMap((text) => [name, text]);
}

const isList = (value: readonly string[] | Readonly<Record<string, string>>): value is readonly string[] =>
  Array.isArray(value);
