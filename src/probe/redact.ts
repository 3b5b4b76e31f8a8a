/** redact replaces every secret by the name of its variable. */
export function redact(text: string, secrets: Readonly<Record<string, string>>): string {
  return Object.entries(secrets).reduce((result, [name, value]) => result.replaceAll(value, `<${name}>`), text);
}
